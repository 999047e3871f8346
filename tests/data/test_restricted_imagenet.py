"""Restricted ImageNet: nine superclasses, by the order of 1,000 folders or by their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.data.pictures import write
from zol2l.data.restricted_imagenet import SUPERCLASSES, restricted_imagenet
from zol2l.errors import InvalidInput

PICTURE = torch.zeros(3, 8, 8, dtype=torch.uint8)
KNOWN = [151, 268, 281, 32, 37, 100, 365, 397, 121, 319]
LABELS = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
OTHERS = [0, 29, 38, 150, 269, 286, 999]


def test_superclasses_are_the_published_ones() -> None:
    sizes = [last - first + 1 for first, last in SUPERCLASSES.values()]
    assert sizes == [118, 5, 3, 5, 21, 18, 9, 4, 20]
    numbers = [n for first, last in SUPERCLASSES.values() for n in range(first, last + 1)]
    assert len(numbers) == len(set(numbers)) == 203


@pytest.mark.parametrize("root", ["absolute", "relative"])
def test_folders_named_by_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    for split in ("train", "val"):
        for number in KNOWN + OTHERS:
            write(tmp_path / "imagenet" / split / str(number) / "a.png", PICTURE)
    data_root = tmp_path if root == "absolute" else Path(tmp_path.name)
    data = restricted_imagenet(data_root, size=8, resize=8)
    assert sorted(data.test_labels.tolist()) == sorted(data.train_labels.tolist()) == LABELS
    assert data.test_images.shape == (10, 3, 8, 8)


def test_a_thousand_folders_are_numbered_in_their_order(tmp_path: Path) -> None:
    for place in range(1000):
        (tmp_path / f"imagenet/val/n{place:08d}").mkdir(parents=True)
    for split in ("train", "val"):
        for number in KNOWN + OTHERS:
            write(tmp_path / f"imagenet/{split}/n{number:08d}/a.png", PICTURE)
    for place in range(1000):
        folder = tmp_path / f"imagenet/val/n{place:08d}"
        if not list(folder.iterdir()):
            write(folder / "a.png", PICTURE)
    data = restricted_imagenet(tmp_path, size=8, resize=8)
    assert sorted(data.train_labels.tolist()) == LABELS
    assert len(data.test_labels) == 203
    assert data.test_labels.bincount().tolist() == [118, 5, 3, 5, 21, 18, 9, 4, 20]


def test_anything_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "imagenet/val/n01440764/a.png", PICTURE)
    with pytest.raises(InvalidInput, match=r"folder.*1000 folders"):
        restricted_imagenet(tmp_path)

"""Folders and archives of images: labels, splits, limits, and errors that name the field."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from tests.data.pictures import picture_folder, pixels, write, zipped
from zol2l.data.datasets import ImageData
from zol2l.data.image_folder import class_numbers, image_folder
from zol2l.errors import InvalidInput
from zol2l.machine import memory

SPLITS = {"train": {"cat": 3, "dog": 2}, "test": {"cat": 1, "dog": 2}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    picture_folder(tmp_path / "pets", SPLITS)
    return tmp_path


def same(one: ImageData, other: ImageData) -> bool:
    names = ("train_images", "train_labels", "test_images", "test_labels")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


def test_images_and_labels(root: Path) -> None:
    data = image_folder(root, "pets")
    expected = torch.stack([pixels(i) for i in range(8)]).float() / 255
    assert torch.equal(torch.cat([data.train_images, data.test_images]), expected)
    assert data.train_images.dtype == torch.float32
    assert data.train_labels.tolist() == [0, 0, 0, 1, 1]
    assert data.test_labels.tolist() == [0, 1, 1]
    assert data.alphabetical == ("cat", "dog")


def test_a_zip_and_an_absolute_folder_are_the_same_data(root: Path) -> None:
    data = image_folder(root, "pets")
    zipped(root / "pets", root / "pets.zip")
    for folder in ("pets.zip", str(root / "pets.zip"), str(root / "pets")):
        assert same(image_folder(root, folder), data)
        assert image_folder(root, folder).identity == data.identity


def test_the_folder_that_the_splits_are_in_may_be_packed_too(root: Path) -> None:
    data = image_folder(root, "pets")
    (root / "outer" / "__MACOSX").mkdir(parents=True)
    (root / "pets").rename(root / "outer" / "pets")
    zipped(root / "outer", root / "outer.zip")
    for folder in ("outer", "outer.zip"):
        assert same(image_folder(root, folder), data)
        assert same(
            image_folder(root, folder, train=None), image_folder(root, "outer/pets", train=None)
        )


def test_files_of_other_types_are_named_in_a_warning(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("cat/moving.gif", "dog/drawn.svg", "dog/.DS_Store"):
        (root / "pets" / "train" / name).write_bytes(b"")
    data = image_folder(root, "pets")
    assert len(data.train_images) == 5
    (told,) = [
        record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING
    ]
    assert "train: 2 of 7 files are left out, of types that are not read: " in told
    assert "cat/moving.gif, dog/drawn.svg; read are .jpg" in told


def test_jpeg_is_read_within_its_loss(root: Path) -> None:
    smooth = torch.linspace(0, 255, 32).repeat(3, 32, 1).to(torch.uint8)
    for split in ("train", "test"):
        for name in ("airplane", "truck"):
            write(root / "jpeg" / split / name / "0000.jpg", smooth)
    data = image_folder(root, str(zipped(root / "jpeg", root / "cifar10-images.zip")))
    assert data.test_images.shape == (2, 3, 32, 32)
    assert (data.test_images * 255 - smooth).abs().max() < 12


def test_where_the_data_is_read_only_the_users_cache_is_taken(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    zipped(root / "pets", root / "pets.zip")
    root.chmod(0o555)
    try:
        image_folder(root, "pets.zip")
    finally:
        root.chmod(0o755)
    made = {path.name for path in (tmp_path / "home/.cache/zol2l").iterdir()}
    assert made == {"images", "unpacked"}
    assert not (root / "images").exists()


def test_a_class_that_one_split_lacks_moves_no_label(root: Path) -> None:
    picture_folder(root / "more", {"train": {"ant": 1, "cat": 1, "dog": 1}, "test": {"dog": 1}})
    data = image_folder(root, "more")
    assert data.train_labels.tolist() == [0, 1, 2]
    assert data.test_labels.tolist() == [2]


def test_no_training_split(root: Path) -> None:
    data = image_folder(root, "pets", train=None, test="train")
    assert len(data.train_images) == len(data.train_labels) == 0
    assert data.train_images.shape[1:] == data.test_images.shape[1:]
    assert data.test_labels.tolist() == [0, 0, 0, 1, 1]


def test_a_smaller_limit_takes_some_of_a_larger_ones_images(tmp_path: Path) -> None:
    picture_folder(tmp_path / "many", {"test": {"a": 10, "b": 10}})
    whole = image_folder(tmp_path, "many", train=None)
    taken: set[float] = set()
    for limit in (1, 5, 12, 20, 99):
        part = image_folder(tmp_path, "many", train=None, limit=limit)
        assert len(part.test_images) == len(part.test_labels) == min(limit, 20)
        marks = set(part.test_images.sum(dim=(1, 2, 3)).tolist())
        assert len(marks) == len(part.test_images)
        assert taken <= marks
        taken = marks
        rows = [whole.test_images.flatten(1).tolist().index(x) for x in
                part.test_images.flatten(1).tolist()]  # fmt: skip
        assert torch.equal(whole.test_labels[rows], part.test_labels)
    assert set(image_folder(tmp_path, "many", train=None, limit=8).test_labels.tolist()) == {0, 1}


def test_the_identity_follows_pixels_and_labels(root: Path) -> None:
    first = image_folder(root, "pets").identity
    assert image_folder(root, "pets").identity == first
    assert image_folder(root, "pets", classes={"cat": 1, "dog": 0}).identity != first
    assert image_folder(root, "pets", size=5).identity != first
    (root / "pets/test/dog/001.png").unlink()
    assert image_folder(root, "pets").identity != first


@pytest.mark.parametrize(
    ("names", "classes", "expected", "explicit"),
    [
        (["cat", "dog"], None, [0, 1], False),
        (["10", "2"], None, [10, 2], True),
        (["0007", "0281"], None, [7, 281], True),
        (["1", "cat"], None, [0, 1], False),
        (["n01440764", "n02102040"], {"n02102040": 217, "n01440764": 0, "more": 5}, [0, 217], True),
        (["1", "2"], {1: 5, 2: 6}, [5, 6], True),
    ],
)
def test_labels(names: list[str], classes: dict, expected: list[int], explicit: bool) -> None:
    numbers, told = class_numbers(names, classes)
    assert [numbers[name] for name in names] == expected
    assert told is explicit


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"folder": "pats"}, r"folder=pats: no such folder.*ZOL2L_DATA_DIR"),
        ({"train": "val"}, r"train=.*val.*folder of images for each class"),
        ({"folder": "pets/test", "train": None, "test": "cat"}, r"test=.*each class"),
        ({"limit": 0}, r"limit=0"),
        ({"size": 0}, r"size=0"),
        ({"classes": {"cat": 1}}, r"classes=dog: needs a number"),
        ({"classes": {"cat": 1, "dog": -2}}, r"classes\.dog=-2"),
        ({"classes": {"cat": 1, "dog": "two"}}, r"classes\.dog=two"),
    ],
)
def test_bad_settings_are_refused(root: Path, options: dict, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        image_folder(root, **{"folder": "pets", **options})


def test_splits_of_different_sizes_need_one(root: Path) -> None:
    picture_folder(root / "pets", {"test": {"cat": 1, "dog": 2}}, height=5)
    with pytest.raises(InvalidInput, match=r"size=\(3, 6, 6\) and \(3, 5, 6\)"):
        image_folder(root, "pets")
    assert image_folder(root, "pets", size=5).test_images.shape == (3, 3, 5, 5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"size": 100_000},
            r"size=100000: 8 images of 3 x 100000 x 100000 need 1\.2 TiB of mem",
        ),
        (
            {"size": 8, "resize": 100_000},
            r"resize=100000: 100000 x 100000 pixels of .*png need",
        ),
    ],
)
def test_more_pixels_than_there_is_memory_for_are_refused(
    root: Path, options: dict, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        image_folder(root, "pets", **options)


def test_memory_for_images_of_their_own_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes and floats of all, and the bytes of the larger split once more."""
    monkeypatch.setattr(memory, "NEGLIGIBLE", 0)
    for missing in (0, 1):
        free = (5 * 8 + 5) * 3 * 6 * 6 - missing
        monkeypatch.setattr(memory, "available", lambda free=free: free)
        if missing:
            with pytest.raises(InvalidInput, match=r"size=None: 8 images of 3 x 6 x 6 need"):
                image_folder(root, "pets")
        else:
            image_folder(root, "pets")

"""Known data sets: shapes and range, and one error with a remedy where they are not to be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision.datasets

from tests.problems import seeded
from zol2l.data.datasets import ImageData, cifar10, digits, mnist
from zol2l.errors import InvalidInput


class FakeCIFAR10:
    """What torchvision's class gives: bytes (n, 32, 32, 3) and a list of labels."""

    base_folder = "cifar-10-batches-py"

    def __init__(self, root: str, train: bool, download: bool) -> None:
        random = np.random.default_rng(int(train))
        self.data = random.integers(0, 256, (5 if train else 3, 32, 32, 3), dtype=np.uint8)
        self.targets = list(range(len(self.data)))
        self.download = download


def test_digits() -> None:
    data = digits()
    assert data.train_images.shape == (1200, 1, 8, 8)
    assert data.test_images.shape == (597, 1, 8, 8)
    assert data.train_images.min() == 0
    assert data.train_images.max() == 1
    assert set(data.test_labels.tolist()) == set(range(10))


def test_cifar10_is_channels_first_in_0_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", FakeCIFAR10)
    data = cifar10(tmp_path)
    assert data.train_images.shape == (5, 3, 32, 32)
    assert data.train_images.is_contiguous()
    expected = FakeCIFAR10("", train=False, download=False).data[1, 4, 7] / 255
    assert data.test_images[1, :, 4, 7].tolist() == pytest.approx(expected.tolist())
    assert data.test_labels.tolist() == [0, 1, 2]
    assert data.test_labels.dtype == torch.int64
    assert data.identity == ""


@pytest.mark.parametrize("there", [True, False])
def test_cifar10_is_downloaded_where_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    asked = []

    class Asked(FakeCIFAR10):
        def __init__(self, root: str, train: bool, download: bool) -> None:
            super().__init__(root, train, download)
            asked.append(download)

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Asked)
    if there:
        (tmp_path / FakeCIFAR10.base_folder).mkdir()
    cifar10(tmp_path)
    assert asked == [not there] * 2


@pytest.mark.parametrize(
    ("name", "load", "remedies"),
    [
        ("MNIST", mnist, ["ZOL2L_DATA_DIR"]),
        ("CIFAR10", cifar10, ["ZOL2L_DATA_DIR", "data=cifar10_jpeg", "data=image_folder"]),
    ],
)
def test_one_error_where_there_is_neither_data_nor_network(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    load: Callable[[Path], ImageData],
    remedies: list[str],
) -> None:
    def unreachable(*arguments: Any, **options: Any) -> None:
        raise OSError("no route to host")

    unreachable.base_folder = "cifar-10-batches-py"  # type: ignore[attr-defined]
    monkeypatch.setattr(torchvision.datasets, name, unreachable)
    with pytest.raises(InvalidInput, match="no route to host") as error:
        load(tmp_path)
    for words in [str(tmp_path), *remedies]:
        assert words in str(error.value)


def test_the_first_images_of_a_folder_are_of_all_its_classes() -> None:
    labels = torch.arange(4).repeat_interleave(25)
    images = labels.float().view(-1, 1, 1, 1)
    folder = ImageData(images, labels, images, labels)
    few = folder.mixed().first(20, "recipe.train")
    for x, y in ((few.train_images, few.train_labels), (few.test_images, few.test_labels)):
        assert set(y.tolist()) == {0, 1, 2, 3}
        assert torch.equal(x.flatten(), y.float())
    assert torch.equal(folder.mixed().test_labels, folder.mixed().test_labels)
    order = torch.randperm(100, generator=seeded(0))
    unordered = ImageData(images[order], labels[order], images[order], labels[order])
    assert torch.equal(unordered.mixed().train_labels, labels[order])


@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [2, 0, 3, 1], [0, 1, 0, 1, 2, 3]])
def test_classes_are_mixed_in_whatever_order_they_come(classes: list[int]) -> None:
    labels = torch.tensor(classes).repeat_interleave(40)
    images = labels.float().view(-1, 1, 1, 1)
    mixed = ImageData(images, labels, images, labels).mixed()
    for part in (mixed.train_labels, mixed.test_labels):
        assert set(part[:20].tolist()) == set(part[-20:].tolist()) == {0, 1, 2, 3}


def test_a_damaged_cifar10_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"<html>404</html>")
    with pytest.raises(InvalidInput, match=r"damaged.*data=cifar10_jpeg"):
        cifar10(tmp_path)

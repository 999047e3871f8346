"""Image data sets as tensors: images (m, C, H, W) in [0, 1] and integer labels (m,)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zol2l.errors import InvalidInput, require

DIGITS_TEST = 597
DIGITS_SEED = 0
ORDER_SEED = 0
CIFAR10_REMEDY = (
    "set ZOL2L_DATA_DIR, or take images: data=cifar10_jpeg (cifar10-images.zip in the data folder)"
    " or data=image_folder data.folder=FOLDER_OR_ZIP"
)


@dataclass(frozen=True)
class ImageData:
    """Training and test images of one classification problem. Of data that users may change,
    `identity` is a checksum. `alphabetical` are the names of the classes where a label is no more
    than a place among them in alphabetical order, which another classifier need not share.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    identity: str = ""
    alphabetical: tuple[str, ...] = ()

    def mixed(self) -> ImageData:
        """The same, its classes in no order. A folder's images come class by class, whatever the
        classes' numbers, and the first of them, or the last that are held out, would be of one.
        """
        train, test = _order(self.train_labels), _order(self.test_labels)
        return replace(
            self,
            train_images=self.train_images[train], train_labels=self.train_labels[train],
            test_images=self.test_images[test], test_labels=self.test_labels[test],
        )  # fmt: skip

    def first(self, count: int | None, field: str) -> ImageData:
        """The same with the first `count` training images alone, None: with all; `field` is what
        asked for them.
        """
        if count is None:
            return self
        available = len(self.train_images)
        known = type(count) is int and 1 <= count <= available
        require(known, field, count, f"1 to {available}, or null")
        images, labels = self.train_images[:count], self.train_labels[:count]
        return replace(self, train_images=images, train_labels=labels)


def _order(labels: Tensor) -> Tensor | slice:
    """Always the same order: as they are, or at random where they come class by class: sorted, or
    with fewer than half as many changes of class from image to image as at random.
    """
    steps = labels.diff()
    shares = labels.unique(return_counts=True)[1] / len(labels)
    at_random = len(steps) * (1 - shares.square().sum())
    if bool((steps < 0).any()) and bool((steps != 0).sum() >= at_random / 2):
        return slice(None)  # copies nothing
    return torch.randperm(len(labels), generator=torch.Generator().manual_seed(ORDER_SEED))


def digits(root: Path | None = None) -> ImageData:
    """scikit-learn's 1,797 handwritten digits, 8 x 8: 1,200 to train, 597 to test. No download."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images / 16, dtype=torch.float32).view(-1, 1, 8, 8)
    y = torch.tensor(labels, dtype=torch.int64)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(DIGITS_SEED))
    test, train = order[:DIGITS_TEST], order[DIGITS_TEST:]
    return ImageData(x[train], y[train], x[test], y[test])


def mnist(root: Path | None = None) -> ImageData:
    """MNIST through torchvision, from `root` if it is there, else downloaded into it."""
    from torchvision.datasets import MNIST

    folder = root or Path("data")
    there = (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").exists()
    train, test = _official("MNIST", MNIST, folder, there, "set ZOL2L_DATA_DIR")
    images = [part.data[:, None].float().div_(255) for part in (train, test)]
    return ImageData(images[0], train.targets.long(), images[1], test.targets.long())


def cifar10(root: Path | None = None) -> ImageData:
    """CIFAR-10 through torchvision, from `root` if it is there, else downloaded into it.

    3 x 32 x 32, 50,000 to train, 10,000 to test; torchvision checks the files' MD5.
    """
    from torchvision.datasets import CIFAR10

    folder = root or Path("data")
    there = (folder / CIFAR10.base_folder).exists()
    train, test = _official("CIFAR-10", CIFAR10, folder, there, CIFAR10_REMEDY)
    images = [torch.tensor(part.data).movedim(3, 1).contiguous() for part in (train, test)]
    labels = [torch.tensor(part.targets) for part in (train, test)]
    return ImageData(images[0].float().div_(255), labels[0], images[1].float() / 255, labels[1])


def _official(
    name: str, dataset: Callable[..., Any], folder: Path, there: bool, remedy: str
) -> list[Any]:
    """Training and test set from torchvision, downloaded unless they are `there`."""
    try:
        return [dataset(str(folder), train=train, download=not there) for train in (True, False)]
    except Exception as error:
        told = f"{name} is not there, or damaged, and could not be downloaded ({error}); {remedy}"
        raise InvalidInput("paths.data_root", folder, told) from error

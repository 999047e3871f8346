"""Image data sets as tensors: images (m, C, H, W) in [0, 1] and integer labels (m,)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zol2l.errors import InvalidInput

DIGITS_TEST = 597
DIGITS_SEED = 0


@dataclass(frozen=True)
class ImageData:
    """Training and test images of one classification problem."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


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
    parts = []
    for train in (True, False):
        try:
            part = MNIST(str(folder), train=train, download=not _has_mnist(folder))
        except Exception as error:
            remedy = f"MNIST is not there and could not be downloaded ({error}); set ZOL2L_DATA_DIR"
            raise InvalidInput("paths.data_root", folder, remedy) from error
        parts += [part.data[:, None].float() / 255, part.targets.long()]
    return ImageData(*parts)


def _has_mnist(root: Path) -> bool:
    return (root / "MNIST" / "raw" / "train-images-idx3-ubyte").exists()

"""scikit-learn's digits in the place of MNIST and CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from tests.data.pictures import idx_file, write, zipped
from zol2l.data.datasets import digits

TRAIN, TEST = 256, 200


def resized(images: Tensor, side: int) -> Tensor:
    """Digits (n, 1, 8, 8) as bytes (n, side, side)."""
    large = interpolate(images, size=(side, side), mode="nearest")
    return (255 * large[:, 0]).round().byte()


def stand_ins(root: Path) -> Path:
    """Fill a data root with digits as MNIST's files and, in colour, as CIFAR-10's JPEG archive."""
    data = digits()
    parts = {
        "train": (data.train_images[:TRAIN], data.train_labels[:TRAIN]),
        "t10k": (data.test_images[:TEST], data.test_labels[:TEST]),
    }
    for name, (images, labels) in parts.items():
        raw = root / "MNIST/raw"
        idx_file(raw / f"{name}-images-idx3-ubyte", resized(images, 28))
        idx_file(raw / f"{name}-labels-idx1-ubyte", labels.byte())
        split = {"train": "train", "t10k": "test"}[name]
        for i, (image, label) in enumerate(zip(resized(images, 32), labels, strict=True)):
            coloured = torch.stack([image, 255 - image, image])
            write(root / "pictures" / split / str(int(label)) / f"{i:04d}.png", coloured)
    zipped(root / "pictures", root / "cifar10-images.zip")
    return root

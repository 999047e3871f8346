"""Generated image files: random pixels, written without loss."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from tests.problems import seeded


def pixels(seed: int, height: int = 6, width: int = 6) -> Tensor:
    """One image, uint8 (3, H, W)."""
    shape = (3, height, width)
    return torch.randint(256, shape, generator=seeded(seed), dtype=torch.uint8)


def write(path: Path, image: Tensor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture: Image.Image = to_pil_image(image)
    picture.save(path)
    return path


def picture_folder(
    folder: Path, splits: dict[str, dict[str, int]], height: int = 6, width: int = 6
) -> list[Tensor]:
    """`splits` = {split: {class: images}} as PNG files; returns the images in that order."""
    images = []
    for split, classes in splits.items():
        for name, count in classes.items():
            for i in range(count):
                images.append(pixels(len(images), height, width))
                write(folder / split / name / f"{i:03d}.png", images[-1])
    return images


def zipped(folder: Path, archive: Path) -> Path:
    with ZipFile(archive, "w", ZIP_STORED) as file:
        for path in sorted(folder.rglob("*.*")):
            file.write(path, str(path.relative_to(folder)))
    return archive


def idx_file(path: Path, values: Tensor) -> Path:
    """Bytes in MNIST's format: two zeros, the type's number 8, the rank, the shape, the values."""
    shape = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + shape + values.numpy().tobytes())
    return path

"""Image files as one tensor of bytes, decoded once and kept as safetensors with a checksum."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets.folder import default_loader
from torchvision.transforms import functional

from zol2l.errors import InvalidInput, require
from zol2l.fingerprints import fingerprint
from zol2l.progress import progress_bars
from zol2l.weights_file import BadCheckpoint, read_signed, save_signed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Geometry:
    """How images come to one size: the shorter side to `resize` (`size` if null), the middle
    `size` x `size` pixels of that. With size = null they are taken as they are.
    """

    size: int | None = None
    resize: int | None = None

    def __post_init__(self) -> None:
        size, resize = self.size, self.resize
        require(size is None or size >= 1, "size", size, "at least 1 pixel, or null")
        fits = resize is None or (size is not None and resize >= size)
        require(fits, "resize", resize, f"null or at least size={size}")

    def read(self, file: Path) -> Tensor:
        """The file's pixels, uint8 (3, H, W); grey images get three equal channels."""
        try:
            image = default_loader(str(file))
            if self.size is not None:
                image = functional.resize(image, [self.resize or self.size])
                image = functional.center_crop(image, [self.size, self.size])
            pixels: Tensor = functional.pil_to_tensor(image)
        except Exception as error:  # Pillow raises many kinds
            raise InvalidInput("folder", file, f"cannot be read: {error}") from error
        return pixels


def decoded(files: Sequence[Path], geometry: Geometry, cache: Path, name: str) -> Tensor:
    """The images of `files`, uint8 (m, 3, H, W), from `cache` where the same files, unchanged
    since, were decoded before. A cached file that is corrupt is named in a warning and replaced.
    """
    path = cache / f"{name}-{_fingerprint(files, geometry)}.safetensors"
    if path.exists():
        try:
            return read_signed(path)[0]["images"]
        except BadCheckpoint as error:
            log.warning("Decoded images refused, decoding them again. %s", error)
    images = decode(files, geometry, name)
    save_signed(path, {"images": images}, {"name": name})
    log.info("Decoded images are kept in %s", path)
    return images


def decode(files: Sequence[Path], geometry: Geometry, name: str) -> Tensor:
    """The images of `files`, at least one, as uint8 (m, 3, H, W) under a progress bar."""
    first = geometry.read(files[0])
    images = torch.empty((len(files), *first.shape), dtype=torch.uint8)
    with progress_bars() as show:
        for i, file in enumerate(files):
            image = geometry.read(file)
            if image.shape != first.shape:
                told = f"{file} has {_pixels(image)} pixels, {files[0]} {_pixels(first)}"
                raise InvalidInput("size", geometry.size, f"{told}; set it to make them one")
            images[i] = image
            show(f"Decoding {name}", i + 1, len(files))
    return images


def _pixels(image: Tensor) -> str:
    return "x".join(str(length) for length in image.shape[1:])


def _fingerprint(files: Sequence[Path], geometry: Geometry) -> str:
    stats = [(str(file), file.stat()) for file in files]
    known = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    return fingerprint({"files": known, "size": geometry.size, "resize": geometry.resize})

"""Image files as one tensor of bytes, decoded once and kept as safetensors with a checksum."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional

from zol2l.data.pixels import read_rgb
from zol2l.errors import InvalidInput, require
from zol2l.machine.memory import require_memory
from zol2l.storage.bad_files import intact
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.weights_file import read_signed, save_signed
from zol2l.terminal.progress import progress_bars

log = logging.getLogger(__name__)

CHANNELS, BYTES_IN_PILLOW = 3, 4
"""Of a pixel."""
VERSION = 2
"""Of how pixels are read: images that an older one decoded are decoded again."""


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
        """The file's pixels, uint8 (3, H, W), as `read_rgb` reads them."""
        with _named(file):
            image = read_rgb(file)
            if self.size is not None:
                self._require_memory(file, image.size)
                image = functional.resize(image, [self.resize or self.size])
                image = functional.center_crop(image, [self.size, self.size])
            pixels: Tensor = functional.pil_to_tensor(image)
        return pixels

    def shape(self, file: Path) -> tuple[int, int, int]:
        """Of what `read` gives, from the head of the file alone."""
        if self.size is not None:
            return CHANNELS, self.size, self.size
        with _named(file), Image.open(file) as image:
            return CHANNELS, image.height, image.width

    def _require_memory(self, file: Path, lengths: tuple[int, int]) -> None:
        """Refuse to make more pixels of an image than there is memory for."""
        key, shorter = ("resize", self.resize) if self.resize else ("size", self.size or 0)
        width, height = (shorter * length // min(lengths) for length in lengths)
        what, remedy = f"{width} x {height} pixels of {file}", "take a smaller one"
        require_memory(BYTES_IN_PILLOW * width * height, key, shorter, what, remedy)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Within the block whatever is wrong with the file is bad input."""
    try:
        yield
    except (InvalidInput, MemoryError):
        raise
    except Exception as error:  # Pillow raises many kinds
        raise InvalidInput("folder", file, f"cannot be read: {error}") from error


def decoded(files: Sequence[Path], geometry: Geometry, cache: Path, name: str) -> Tensor:
    """The images of `files`, uint8 (m, 3, H, W), from `cache` where the same files, unchanged
    since, were decoded before. A cached file that is corrupt is made again.
    """
    path = cache / f"{name}-{_fingerprint(files, geometry)}.safetensors"
    kept = intact(path, read_signed)
    if kept is not None:
        return kept[0]["images"]
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
    how = {"version": VERSION, "size": geometry.size, "resize": geometry.resize}
    return fingerprint({"files": known, **how})

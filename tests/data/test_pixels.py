"""Pixels of every mode that Pillow reads: scaled by the file's depth, or refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, ImageFileDirectory_v2

from zol2l.data.decoding import Geometry
from zol2l.errors import InvalidInput

GREY = np.linspace(0, 65535, 24).astype(np.uint16).reshape(4, 6)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
UPPER = (GREY >> 8).astype(np.uint8)
GREY_TYPE, RGB_TYPE, GREY_ALPHA_TYPE, RGB_ALPHA_TYPE = 0, 2, 4, 6
"""Of PNG files."""


def png16(path: Path, pixels: np.ndarray, kind: int, transparent: bytes = b"") -> Path:
    """A PNG file of 16 bits a channel, which Pillow cannot write but for grey."""

    def chunk(name: bytes, data: bytes) -> bytes:
        size, checksum = (struct.pack(">I", n) for n in (len(data), zlib.crc32(name + data)))
        return size + name + data + checksum

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    transparency = chunk(b"tRNS", transparent) if transparent else b""
    content = transparency + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content)
    return path


def read(path: Path) -> np.ndarray:
    """Pixels (H, W, 3)."""
    return Geometry().read(path).permute(1, 2, 0).numpy()


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, axis=-1)


def test_a_uniform_16_bit_image_keeps_its_mean(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (64, 64), dtype=np.uint16)
    pixels = Geometry().read(png16(tmp_path / "x.png", noise, GREY_TYPE))
    assert abs(pixels.double().mean().item() - noise.mean() / 257) < 1
    smaller = Geometry(size=16).read(tmp_path / "x.png")
    assert abs(smaller.double().mean().item() - noise.mean() / 257) < 2


@pytest.mark.parametrize("name", ["x.png", "little.tif", "big.tif", "x.pgm"])
def test_16_bit_grey(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "big.tif":
        Image.frombytes("I;16B", (6, 4), GREY.astype(">u2").tobytes()).save(path)
    else:
        Image.fromarray(GREY).save(path)
    assert np.array_equal(read(path), grey(UPPER))


@pytest.mark.parametrize("most", [1023, 4095, 65535])
def test_grey_of_9_to_16_bits_in_pgm(tmp_path: Path, most: int) -> None:
    path, values = tmp_path / "x.pgm", np.array([0, most // 2, most])
    path.write_bytes(b"P5 3 1 %d\n" % most + values.astype(">u2").tobytes())
    assert read(path)[0, :, 0].tolist() == [0, 127, 255]


def test_12_bit_grey_tiff(tmp_path: Path) -> None:
    """Two pixels in three bytes."""
    path, values = tmp_path / "x.tif", [0x000, 0xFFF, 0x800, 0x123]
    packed = b"".join(
        (a << 12 | b).to_bytes(3, "big") for a, b in zip(values[::2], values[1::2], strict=True)
    )
    tags = {256: 4, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(packed)}
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, x, 0) for tag, x in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    at = 8 + len(packed)
    path.write_bytes(b"II*\0" + struct.pack("<I", at) + packed + directory)
    assert read(path)[0, :, 0].tolist() == [0, 255, 128, 0x12]


def test_a_16_bit_negative(tmp_path: Path) -> None:
    tags = ImageFileDirectory_v2()
    tags[PHOTOMETRIC_INTERPRETATION] = 0
    Image.fromarray(GREY).save(tmp_path / "x.tif", tiffinfo=tags)
    with Image.open(tmp_path / "x.tif") as image:
        assert image.tag_v2[PHOTOMETRIC_INTERPRETATION] == 0
    assert np.array_equal(read(tmp_path / "x.tif"), grey(255 - UPPER))


def test_16_bit_colour(tmp_path: Path) -> None:
    path = png16(tmp_path / "x.png", COLOUR, RGB_TYPE)
    assert np.array_equal(read(path), (COLOUR >> 8).astype(np.uint8))


def test_16_bit_pixels_with_transparency_show_white(tmp_path: Path) -> None:
    clear, opaque = np.zeros_like(GREY), np.full_like(GREY, 65535)
    half = np.where(np.arange(24).reshape(4, 6) % 2, clear, opaque)
    seen = half[..., None] > 0
    path = png16(tmp_path / "la.png", np.stack([GREY, half], axis=-1), GREY_ALPHA_TYPE)
    assert np.array_equal(read(path), np.where(seen, grey(UPPER), 255))
    path = png16(tmp_path / "rgba.png", np.dstack([COLOUR, half]), RGB_ALPHA_TYPE)
    assert np.array_equal(read(path), np.where(seen, COLOUR >> 8, 255))
    one = png16(tmp_path / "one.png", GREY, GREY_TYPE, struct.pack(">H", int(GREY[1, 2])))
    assert np.array_equal(read(one), grey(np.where(GREY[1, 2] == GREY, 255, UPPER)))


@pytest.mark.parametrize(("type_", "told"), [("int32", "whole"), ("float32", "floating-point")])
def test_pixels_of_unknown_range_are_refused(tmp_path: Path, type_: str, told: str) -> None:
    path = tmp_path / "deep.tif"
    Image.fromarray(GREY.astype(type_)).save(path)
    allowed = rf"folder=.*deep\.tif: its grey pixels are {told} numbers.*8 or 16 bits"
    with pytest.raises(InvalidInput, match=allowed):
        Geometry().read(path)


@pytest.mark.parametrize(
    ("mode", "colour", "name", "expected"),
    [
        ("1", 1, "x.png", (255, 255, 255)),
        ("L", 90, "x.png", (90, 90, 90)),
        ("RGB", (9, 99, 199), "x.bmp", (9, 99, 199)),
        ("P", 3, "x.png", (30, 33, 36)),
        ("LA", (90, 255), "x.png", (90, 90, 90)),
        ("LA", (90, 0), "x.png", (255, 255, 255)),
        ("RGBA", (9, 99, 199, 255), "x.png", (9, 99, 199)),
        ("RGBA", (9, 99, 199, 0), "x.png", (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), "x.png", (204, 204, 204)),
        ("CMYK", (0, 255, 255, 0), "x.tif", (255, 0, 0)),
        ("CMYK", (0, 0, 0, 255), "x.jpg", (0, 0, 0)),
        ("YCbCr", (90, 128, 128), "x.tif", (90, 90, 90)),
    ],
)
def test_modes(
    tmp_path: Path, mode: str, colour: object, name: str, expected: tuple[int, ...]
) -> None:
    image = Image.new(mode, (3, 2), colour)
    if mode == "P":
        image.putpalette([10 * i + 3 * c for i in range(4) for c in range(3)])
    image.save(tmp_path / name)
    with Image.open(tmp_path / name) as kept:
        assert kept.mode == mode
    pixels = Geometry().read(tmp_path / name)
    assert pixels.shape == (3, 2, 3)
    distance = (pixels.int() - torch.tensor(expected)[:, None, None]).abs().max()
    assert distance <= (2 if name.endswith(".jpg") else 0)


@pytest.mark.parametrize("transparency", [1, b"\xff\x00\xff"])
def test_a_palette_with_transparency_shows_white(
    tmp_path: Path, transparency: object, recwarn: pytest.WarningsRecorder
) -> None:
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "x.png", transparency=transparency)
    assert read(tmp_path / "x.png").tolist() == [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]
    assert not recwarn.list


def test_a_palette_with_an_alpha_channel(tmp_path: Path) -> None:
    image = Image.new("PA", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), (1, 255))
    image.putpixel((1, 0), (0, 0))
    image.save(tmp_path / "x.tif")
    assert read(tmp_path / "x.tif").tolist() == [[[40, 50, 60], [255, 255, 255]]]

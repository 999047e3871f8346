"""Any image file as 8 bits a channel of red, green and blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from zol2l.errors import InvalidInput

TRANSPARENT = ("LA", "PA", "RGBA", "RGBa")
SCALED_TO_16 = ("PNG", "PPM", "JPEG2000")
"""Formats of which Pillow gives grey pixels of more than 8 bits as 16 bits, whatever they had."""
WHITE_IS_ZERO = 0
"""TIFF's photometric interpretation of negatives, which Pillow inverts up to 8 bits alone."""
UNKNOWN_WHITE = (
    "its grey pixels are {kind} numbers, and no range says which one is white; save it with 8 or"
    " 16 bits a channel"
)


def read_rgb(file: Path) -> Image.Image:
    """The first picture of a file. Of 16 bits a channel the upper 8 are taken, grey becomes three
    equal channels, what is transparent shows white.
    """
    with Image.open(file) as image:
        eight = _eight_bits(image, file) if image.mode[0] in "IF" else image
        if eight.mode not in TRANSPARENT and "transparency" not in eight.info:
            return eight.convert("RGB")
        page = Image.new("RGBA", eight.size, "white")
        page.alpha_composite(eight.convert("RGBA"))
        return page.convert("RGB")


def _eight_bits(image: Image.Image, file: Path) -> Image.Image:
    """Grey pixels of 9 to 16 bits; Pillow's own conversion takes all from 255 on for white."""
    bits = _grey_bits(image)
    if bits is None:
        kind = "floating-point" if image.mode == "F" else "whole"
        raise InvalidInput("folder", file, UNKNOWN_WHITE.format(kind=kind))
    deep = np.asarray(image).astype(np.int32)
    grey = (deep >> (bits - 8)).astype(np.uint8)
    if isinstance(image, TiffImageFile):
        negative = image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO
        return Image.fromarray(255 - grey if negative else grey)
    if "transparency" not in image.info:
        return Image.fromarray(grey)
    alpha = np.where(deep == image.info["transparency"], 0, 255).astype(np.uint8)
    return Image.fromarray(np.stack([grey, alpha], axis=-1))


def _grey_bits(image: Image.Image) -> int | None:
    """The bits of a grey pixel, None where the file does not say which number is white."""
    if isinstance(image, TiffImageFile):
        return int(image.tag_v2[BITSPERSAMPLE][0]) if image.mode.startswith("I;16") else None
    return 16 if image.format in SCALED_TO_16 else None

"""Restricted ImageNet: nine superclasses of ImageNet (Tsipras et al., ICLR 2019, table 2)."""

from __future__ import annotations

from pathlib import Path

from zol2l.data.datasets import ImageData
from zol2l.data.image_folder import image_folder, image_source
from zol2l.errors import require

IMAGENET = 1000

SUPERCLASSES = {
    "dog": (151, 268),
    "cat": (281, 285),
    "frog": (30, 32),
    "turtle": (33, 37),
    "bird": (80, 100),
    "primate": (365, 382),
    "fish": (389, 397),
    "crab": (118, 121),
    "insect": (300, 319),
}
"""First and last of ImageNet's class numbers, the last one included."""


def restricted_imagenet(
    root: Path,
    folder: str = "imagenet",
    size: int = 224,
    resize: int | None = 256,
    train: str = "train",
    test: str = "val",
    limit: int | None = None,
) -> ImageData:
    """The images of SUPERCLASSES, numbered in that order, in a folder (or .zip) of ImageNet with
    `train`/CLASS/IMAGE and `test`/CLASS/IMAGE, as `image_folder` reads it.

    CLASS is one of ImageNet's 1,000 folders, whose alphabetical order is that of its class numbers,
    or the number itself. All images are held in memory: `limit` takes that many of each split.
    """
    source = image_source(root, folder, (train, test)).absolute()
    names = sorted(path.name for path in (source / test).glob("*") if path.is_dir())
    numbered = bool(names) and all(name.isdecimal() for name in names)
    known = f"the {IMAGENET} folders of ImageNet, or folders named by its class numbers"
    require(numbered or len(names) == IMAGENET, "folder", source / test, known)
    number_of = {name: int(name) if numbered else place for place, name in enumerate(names)}
    classes = {
        name: label
        for name, number in number_of.items()
        for label, (first, last) in enumerate(SUPERCLASSES.values())
        if first <= number <= last
    }
    return image_folder(
        root, str(source), size, resize, train, test, limit, classes=classes, others=False
    )

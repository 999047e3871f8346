"""Any folder of images as a data set: `<folder>/<split>/<class>/<image>`, or a .zip of that."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS

from zol2l.data.archives import unpacked
from zol2l.data.cache import cache_folder
from zol2l.data.datasets import ImageData
from zol2l.data.decoding import Geometry, decoded
from zol2l.data.layout import place_of
from zol2l.errors import InvalidInput, require
from zol2l.machine.memory import require_memory
from zol2l.storage.weights_file import checksum

log = logging.getLogger(__name__)

LIMIT_SEED = 0
BYTES_OF_BOTH = 1 + 4
"""Of a pixel's channel, as it is decoded and as a float."""
TOLD = 5
TYPES = f"read are {' '.join(IMG_EXTENSIONS)}"


def image_folder(
    root: Path,
    folder: str,
    size: int | None = None,
    resize: int | None = None,
    train: str | None = "train",
    test: str = "test",
    limit: int | None = None,
    classes: Mapping[str, int] | None = None,
    others: bool = True,
) -> ImageData:
    """The images in `folder`, a folder or a .zip, absolute or below the data root `root`.

    Images of different sizes need `size`: the shorter side becomes `resize` (`size` if null), then
    the middle is cut out. `train` and `test` name the splits' folders; train=null reads none, for
    victims that come trained. `limit` takes that many images of a split, the same ones each time
    and those of a smaller limit among them. `classes` says which folder is which class number
    (`class_numbers`); without `others`, folders that it leaves out are not read. What is decoded is
    kept in `images` beside the victims.
    """
    require(limit is None or limit >= 1, "limit", limit, "at least 1 image a split, or null")
    geometry, cache = Geometry(size, resize), cache_folder(root, "images")
    folders = {key: name for key, name in (("train", train), ("test", test)) if name}
    source = image_source(root, folder, folders.values())
    splits = {name: Split.read(source / name, key) for key, name in folders.items()}
    if classes is not None and not others:
        splits = {n: split.restricted(classes.keys()) for n, split in splits.items()}
    names = sorted({name for split in splits.values() for name in split.classes})
    numbers, explicit = class_numbers(names, classes)
    chosen = {name: split.limited(limit) for name, split in splits.items()}
    _require_memory([split.files for split in chosen.values()], geometry)
    images = {n: decoded(s.files, geometry, cache, f"{source.name}-{n}") for n, s in chosen.items()}
    labels = {n: torch.tensor([numbers[c] for c in s.classes]) for n, s in chosen.items()}
    nothing = images[test][:0], labels[test][:0]
    parts = (images[train], labels[train]) if train else nothing
    return _image_data(*parts, images[test], labels[test], () if explicit else tuple(names))


def image_source(root: Path, folder: str, splits: Collection[str]) -> Path:
    """The folder in which the folders `splits` are: `folder`, absolute or below the data root
    `root`, or what a .zip unpacks to; or the only folder in that.
    """
    source = root / Path(folder).expanduser()
    allowed = f"no such folder or .zip; it is looked up in the data folder {root} (ZOL2L_DATA_DIR)"
    require(source.exists(), "folder", folder, allowed)
    if source.is_file():
        return unpacked(source, cache_folder(root, "unpacked"), splits)

    def folders(place: PurePosixPath) -> list[str]:
        return [path.name for path in (source / place).iterdir() if path.is_dir()]

    return source / (place_of(splits, folders) or "")


def class_numbers(
    names: Sequence[str], classes: Mapping[str, int] | None = None
) -> tuple[dict[str, int], bool]:
    """Class folder -> label, and whether the labels are explicit. They are those of `classes` if
    given; the folders' names where all are whole numbers; else the places in alphabetical order.
    """
    if classes is None:
        if all(name.isdecimal() for name in names):
            return {name: int(name) for name in names}, True
        return {name: place for place, name in enumerate(names)}, False
    known = {str(name): number for name, number in classes.items()}
    missing = [name for name in names if name not in known]
    told = ", ".join(missing[:TOLD])
    require(not missing, "classes", told, "needs a number; data.classes={FOLDER: NUMBER, ...}")
    for name in names:
        number, key = known[name], f"classes.{name}"
        whole = isinstance(number, int) and not isinstance(number, bool) and number >= 0
        require(whole, key, number, "the number of a class, from 0")
    return {name: known[name] for name in names}, True


@dataclass(frozen=True)
class Split:
    """Image files and the name of each one's class folder."""

    files: list[Path]
    classes: list[str]

    @classmethod
    def read(cls, folder: Path, key: str) -> Split:
        """All images in the class folders of `folder`; files of other types are named in a warning,
        hidden ones are not.
        """
        others: list[str] = []

        def is_image(path: str) -> bool:
            known = path.lower().endswith(IMG_EXTENSIONS)
            if not known and not Path(path).name.startswith("."):
                others.append(path)
            return known

        try:
            found = ImageFolder(str(folder), is_valid_file=is_image)
        except OSError as error:
            allowed = f"must be a folder with a folder of images for each class ({error}); {TYPES}"
            raise InvalidInput(key, folder, allowed) from error
        if others:
            told = [str(Path(path).relative_to(folder)) for path in others[:TOLD]]
            more = ", ..." if len(others) > TOLD else ""
            log.warning(
                "%s: %d of %d files are left out, of types that are not read: %s%s; %s",
                folder, len(others), len(others) + len(found), ", ".join(told), more, TYPES,
            )  # fmt: skip
        names = [found.classes[place] for _, place in found.samples]
        return cls([Path(path) for path, _ in found.samples], names)

    def restricted(self, names: Collection[str]) -> Split:
        """The images of the class folders `names`."""
        pairs = zip(self.files, self.classes, strict=True)
        kept = [(file, name) for file, name in pairs if name in names]
        require(len(kept) > 0, "classes", ", ".join(names), "some of the class folders")
        return Split([file for file, _ in kept], [name for _, name in kept])

    def limited(self, limit: int | None) -> Split:
        """`limit` of the images in a fixed random order, all of them if there are no more."""
        if limit is None or limit >= len(self.files):
            return self
        generator = torch.Generator().manual_seed(LIMIT_SEED)
        rows = torch.randperm(len(self.files), generator=generator)[:limit].sort().values.tolist()
        return Split([self.files[i] for i in rows], [self.classes[i] for i in rows])


def _require_memory(splits: Sequence[Sequence[Path]], geometry: Geometry) -> None:
    """Refuse more pixels than memory has room for as bytes and as floats, with the copy of a
    split's bytes that its checksum is made of.
    """
    shape, counts = geometry.shape(splits[0][0]), [len(files) for files in splits]
    needed = (BYTES_OF_BOTH * sum(counts) + max(counts)) * math.prod(shape)
    what = f"{sum(counts)} images of {' x '.join(map(str, shape))}"
    remedy = "take a smaller data.size, or fewer with data.limit"
    require_memory(needed, "size", geometry.size, what, remedy)


def _image_data(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, names: tuple[str, ...]
) -> ImageData:
    """From bytes to floats in [0, 1], with a checksum of the bytes and labels."""
    shapes = f"{tuple(train.shape[1:])} and {tuple(test.shape[1:])}"
    require(train.shape[1:] == test.shape[1:], "size", shapes, "set one size for both splits")
    tensors = {"0": train, "1": train_labels, "2": test, "3": test_labels}
    floats = [images.float().div_(255) for images in (train, test)]
    known = checksum(tensors, {})
    return ImageData(floats[0], train_labels, floats[1], test_labels, known, names)

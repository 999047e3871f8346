"""Where the folders of splits are: people pack them with the folder they are in, or without it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import PurePosixPath

BESIDE = (".", "__MACOSX")
"""How names of folders begin that packers and systems leave beside one's own."""

Folders = Callable[[PurePosixPath], Collection[str]]
"""The names of the folders in a folder."""


def place_of(splits: Collection[str], folders: Folders) -> PurePosixPath | None:
    """The folder in which the `splits` are: the top, or the only folder in that, and so on; None
    if there is none.
    """
    wanted = {part for split in splits for part in PurePosixPath(split).parts[:1]}
    place = PurePosixPath()
    while True:
        there = [name for name in folders(place) if not name.startswith(BESIDE)]
        if wanted <= set(there):
            return place
        if len(there) != 1:
            return None
        place /= there[0]


def folders_of(files: Collection[PurePosixPath]) -> Folders:
    """The folders that are the parents of `files`."""
    known = {parent for file in files for parent in file.parents}
    return lambda place: [folder.name for folder in known if folder.parent == place != folder]

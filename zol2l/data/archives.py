"""Unpack a .zip of images once: wholly or not at all, and nowhere but into its own folder."""

from __future__ import annotations

import logging
import shutil
import struct
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from zol2l.data.layout import folders_of, place_of
from zol2l.errors import InvalidInput, require
from zol2l.machine.memory import readable
from zol2l.storage.fingerprints import fingerprint
from zol2l.terminal.progress import progress_bars

log = logging.getLogger(__name__)

DAMAGED = (
    *(BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, UnicodeError),
    *(struct.error, zlib.error),
)
"""What zipfile raises on files that are damaged, encrypted, packed in unknown ways or too big."""
PACKINGS = (ZIP_STORED, ZIP_DEFLATED)
"""Of members; the others are not unpacked in pieces, so that a small one could fill the memory."""
MOST, FROM = 100, 2**26
"""Packed images hardly shrink, a text of zeros does a thousandfold: no more than so many times its
own size is unpacked from an archive, unless that is little, in bytes."""
BLOCK = 4096
"""Bytes that a file takes on a disk at least."""


def unpacked(archive: Path, cache: Path, splits: Collection[str]) -> Path:
    """The folder that holds the folders `splits` of `archive`, unpacked into `cache` when it is
    first asked for.

    What is unpacked is named after the members' names, sizes and checksums: another archive under
    the same name has another folder. Refused as `InvalidInput`, before anything is unpacked: an
    archive with a member outside its folder, without the splits, or too big.
    """
    try:
        with ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            target = cache / f"{archive.stem}-{_contents(members)}"
            for member in members:
                require(_stays_inside(member.filename), "folder", archive, _leaves(member))
                known = member.compress_type in PACKINGS
                require(known, "folder", archive, _packed_otherwise(member))
            place = _place_of(splits, archive, members)
            if not target.exists():
                _require_room(archive, members, cache)
                log.info("Unpacking %s (%d files) into %s", archive, len(members), target)
                _unpack(file, members, target)
    except DAMAGED as error:
        raise InvalidInput("folder", archive, f"cannot be unpacked: {error}") from error
    return target / place


def _place_of(splits: Collection[str], archive: Path, members: Sequence[ZipInfo]) -> PurePosixPath:
    place = place_of(splits, folders_of([PurePosixPath(member.filename) for member in members]))
    if place is None:
        told = f"has no folders {' and '.join(splits)} at its top or in its only folder"
        raise InvalidInput("folder", archive, f"{told}; nothing was unpacked")
    return place


def _require_room(archive: Path, members: Sequence[ZipInfo], cache: Path) -> None:
    """By the sizes that the archive states: zipfile unpacks no more of a member than that."""
    size, packed = sum(member.file_size for member in members), archive.stat().st_size
    told = f"would unpack to {readable(size)}, more than {MOST} times its own size"
    remedy = "unpack it yourself and name its folder if you trust it; nothing was unpacked"
    require(size <= max(FROM, MOST * packed), "folder", archive, f"{told}; {remedy}")
    needed = sum(BLOCK * -(-member.file_size // BLOCK) for member in members)
    free = shutil.disk_usage(next(p for p in (cache, *cache.parents) if p.exists())).free
    told = f"needs {readable(needed)} on disk, {readable(free)} are free in {cache}"
    require(needed <= free, "folder", archive, f"{told}; nothing was unpacked")


def _unpack(file: ZipFile, members: Sequence[ZipInfo], target: Path) -> None:
    """Unpack beside `target`, then rename: a kill leaves nothing that passes for the whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
        whole = Path(beside) / "whole"
        whole.mkdir()
        with progress_bars() as show:
            for done, member in enumerate(members, 1):
                file.extract(member, whole)
                show(f"Unpacking {target.name}", done, len(members))
        try:
            whole.rename(target)
        except OSError:
            if not target.exists():  # else another process was quicker
                raise


def _stays_inside(name: str) -> bool:
    """Whether a member's name is a plain path below the folder, on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    rooted = posix.is_absolute() or bool(windows.drive or windows.root)
    return not rooted and ".." not in {*posix.parts, *windows.parts}


def _leaves(member: ZipInfo) -> str:
    return f"its member {member.filename!r} would leave the folder; nothing was unpacked"


def _packed_otherwise(member: ZipInfo) -> str:
    return f"its member {member.filename!r} must be stored or deflated; nothing was unpacked"


def _contents(members: Sequence[ZipInfo]) -> str:
    return fingerprint({m.filename: (m.file_size, m.CRC) for m in members})

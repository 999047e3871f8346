"""Unpack a .zip of images once: wholly or not at all, and nowhere but into its own folder."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from zol2l.errors import InvalidInput, require
from zol2l.fingerprints import fingerprint
from zol2l.progress import progress_bars

log = logging.getLogger(__name__)

DAMAGED = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error)
"""What zipfile raises on files that are damaged, encrypted, packed in unknown ways or too big."""


def unpacked(archive: Path, cache: Path) -> Path:
    """The folder in `cache` that holds what is in `archive`, made when it is first asked for.

    It is named after the members' names, sizes and checksums: another archive under the same name
    has another folder. An archive with a member outside its folder is refused as `InvalidInput`.
    """
    try:
        with ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            target = cache / f"{archive.stem}-{_contents(members)}"
            if not target.exists():
                for member in members:
                    require(_stays_inside(member.filename), "folder", archive, _leaves(member))
                log.info("Unpacking %s (%d files) into %s", archive, len(members), target)
                _unpack(file, members, target)
    except DAMAGED as error:
        raise InvalidInput("folder", archive, f"cannot be unpacked: {error}") from error
    return target


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


def _contents(members: Sequence[ZipInfo]) -> str:
    return fingerprint({m.filename: (m.file_size, m.CRC) for m in members})

"""Results that are made once and kept, in a folder that run folders may share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from zol2l.storage.bad_files import intact
from zol2l.storage.lock import alone

T = TypeVar("T")


def part_path(parts: Path, name: str, fingerprint: str) -> Path:
    """Where they are, or will be."""
    return parts / f"{name}-{fingerprint}.parquet"


def kept_part(
    parts: Path,
    name: str,
    fingerprint: str,
    make: Callable[[Path], None],
    read: Callable[[Path], T],
) -> T:
    """The results that the fingerprint stands for, as `read` finds them in their file of `parts`.
    Where it, or a file beside it, is not there or is damaged, `make` writes it. Of several
    processes the first makes it.
    """
    part = part_path(parts, name, fingerprint)
    with alone(parts, part.stem):
        kept = intact(part, read)
        if kept is None:
            part.unlink(missing_ok=True)  # it says that all files are there
            make(part)
            kept = read(part)
    return kept

"""Results that are made once and kept, in a folder that run folders may share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zol2l.lock import alone


def part_path(parts: Path, name: str, fingerprint: str) -> Path:
    """Where they are, or will be."""
    return parts / f"{name}-{fingerprint}.parquet"


def kept_part(parts: Path, name: str, fingerprint: str, make: Callable[[Path], None]) -> Path:
    """The file of `parts` with the results that the fingerprint stands for; `make` writes it, if it
    is not there. Of several processes the first makes it.
    """
    part = part_path(parts, name, fingerprint)
    with alone(parts, part.stem):
        if not part.exists():
            make(part)
    return part

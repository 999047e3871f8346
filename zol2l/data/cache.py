"""Where what was made from data is kept: trained victims, unpacked archives, decoded images."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(data_root: Path, part: str) -> Path:
    """`part` under the data root, or under the user's cache where the root is read-only."""
    read_only = data_root.exists() and not (
        data_root.stat().st_mode & 0o222 and os.access(data_root, os.W_OK)
    )
    root = Path.home() / ".cache" / "zol2l" if read_only else data_root
    return root / part

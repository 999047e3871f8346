"""Names for configurations, and for files that are named by them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def fingerprint(configuration: Mapping[str, Any]) -> str:
    """Twelve characters that name a configuration."""
    text = json.dumps(configuration, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shortened(name: str, longest: int) -> str:
    """A file's name of at most so many bytes: one that is longer or a path, cut and without slashes
    and with a checksum of the whole.
    """
    if len(name.encode()) <= longest and "/" not in name:
        return name
    checksum = fingerprint({"name": name})
    kept = name.replace("/", "-").encode()[: longest - len(checksum) - 1]
    return f"{kept.decode(errors='ignore')}-{checksum}"

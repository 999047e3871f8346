"""A stage's folder: it knows its settings, refuses to continue with others, and says when done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zol2l.errors import InvalidInput
from zol2l.files import write_atomically

SETTINGS = "settings.json"
POINTS = "points"
"""The folder of an experiment's points, below its run folder: points/POINT."""


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Mark `folder` as belonging to `settings`; if it belongs to others, name what differs."""
    path = folder / SETTINGS
    if path.exists():
        before, now = flat(read_json(path)), flat(as_json(settings))
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                allowed = f"{folder} was made with {before.get(name)}; delete it or set run_name"
                raise InvalidInput(name, now.get(name), allowed)
    write_json(path, settings)


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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as readable JSON, atomically."""
    text = json.dumps(content, indent=2, default=str) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text))


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote; a file that is damaged is named."""
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        allowed = f"is no record of zol2l ({error}); delete it and run its command again"
        raise InvalidInput("file", path, allowed) from error


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one with dotted keys."""
    return dict(_leaves(tree, prefix))


def _leaves(tree: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree


def as_json(settings: Mapping[str, Any]) -> Any:
    """Settings as they come back from a JSON file."""
    return json.loads(json.dumps(settings, default=str))

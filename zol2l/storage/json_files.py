"""Settings as JSON: written atomically, read with their damage named, nested or flat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zol2l.storage.bad_files import REMEDY, BadFile, reading
from zol2l.storage.files import write_atomically


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as readable JSON, atomically."""
    text = json.dumps(content, indent=2, default=str) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text))


def read_json(path: Path, *needs: str, remedy: str = REMEDY) -> dict[str, Any]:
    """What `write_json` wrote; `BadFile` names one that is damaged or `needs` more than it has."""
    with reading(path, remedy):
        content = json.loads(path.read_text())
    if not isinstance(content, dict) or not set(needs) <= content.keys():
        what = f" with {', '.join(needs)}" if needs else ""
        raise BadFile(path, f"is no record of zol2l{what}", remedy)
    return content


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

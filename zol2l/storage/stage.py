"""A stage's folder: it knows its settings and refuses to continue with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zol2l.errors import Diverged, InvalidInput
from zol2l.storage.bad_files import BadFile
from zol2l.storage.code import CODE
from zol2l.storage.json_files import as_json, flat, read_json, write_json

SETTINGS = "settings.json"
POINTS = "points"
"""The folder of an experiment's points, below its run folder: points/POINT."""


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Mark `folder` as belonging to `settings`; if it belongs to others, name what differs."""
    path = folder / SETTINGS
    if path.exists():
        before, now = flat(made_with(folder)), flat(as_json(settings))
        by_name = sorted(before.keys() | now.keys(), key=lambda name: (name.endswith(CODE), name))
        for name in by_name:  # of a class that changed, not its code
            if before.get(name) != now.get(name):
                allowed = f"{folder} was made with {before.get(name)}; delete it or set run_name"
                raise InvalidInput(name, now.get(name), allowed)
    write_json(path, settings)


@contextmanager
def freed_if_diverged(folder: Path) -> Iterator[None]:
    """Work in a claimed `folder` that may come to nothing: then other settings may have it."""
    try:
        yield
    except Diverged:
        (folder / SETTINGS).unlink(missing_ok=True)
        raise


def made_with(folder: Path) -> dict[str, Any]:
    """The settings that `folder` belongs to."""
    remedy = f"delete {folder}, or set run_name to begin anew"
    settings = read_json(folder / SETTINGS, remedy=remedy)
    if not settings:
        raise BadFile(folder / SETTINGS, "is no record of zol2l: it is empty", remedy)
    return settings

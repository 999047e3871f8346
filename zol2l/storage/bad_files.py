"""Files that cannot be read: named, and set aside where they can be made again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from zol2l.errors import InvalidInput

log = logging.getLogger(__name__)

T = TypeVar("T")

ASIDE = ".damaged"
"""After the name of a file that was set aside."""
REMEDY = "delete it and run its command again"


class BadFile(InvalidInput):
    """A file that is damaged, or that belongs to something else."""

    def __init__(self, path: Path, reason: str, remedy: str = REMEDY) -> None:
        super().__init__("file", path, f"{reason}; {remedy}")
        self.path, self.reason = path, reason


@contextmanager
def reading(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Whatever a library makes of a damaged or missing file is a `BadFile` that names it. What the
    system refuses is an OSError, as it was.
    """
    try:
        yield
    except (BadFile, MemoryError):
        raise
    except FileNotFoundError as error:
        raise BadFile(path, "cannot be read: no such file", remedy) from error
    except Exception as error:  # libraries raise many kinds
        if isinstance(error, PermissionError | IsADirectoryError):
            raise
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise BadFile(path, f"cannot be read: {told}", remedy) from error


def intact(path: Path, read: Callable[[Path], T]) -> T | None:
    """What `read` makes of the file at `path`, which can be made again; None where there is none,
    or where it is bad, or another file that `read` needs: that one is named and set aside.
    """
    if not path.exists():
        return None
    try:
        return read(path)
    except BadFile as error:
        aside = error.path.with_name(error.path.name + ASIDE)
        told = "%s %s. It is made again"
        if error.path.exists():
            error.path.replace(aside)
            told += f", the old one is {aside.name}"
        log.warning(told, error.path, error.reason)
        return None

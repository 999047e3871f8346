"""Processes that share folders: jobs of a sweep side by side, and the nodes of one training run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zol2l.errors import require

log = logging.getLogger(__name__)


@contextmanager
def alone(folder: Path, name: str = "") -> Iterator[None]:
    """One process at a time is in here with a `folder`, or with what is called `name` in it; the
    next one says that it waits, and finds what the first has left. A process that dies lets go. The
    nodes of one training run work on the same folder together: the first holds the lock for all.
    """
    if not first_node():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{name or 'folder'}.lock"
    lock = FileLock(path, is_singleton=True)  # a stage within a stage has it already
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("Waiting for another process that works in %s", folder / name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def first_node() -> bool:
    """Whether this is the first node of a run on several (NODE_RANK), or the only one."""
    rank = os.environ.get("NODE_RANK", "0")
    allowed = "the number of this node among all, 0 for the first"
    require(rank.isdecimal(), "NODE_RANK", rank, allowed)
    return int(rank) == 0

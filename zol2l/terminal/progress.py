"""Progress with time left: bars on a terminal, now and then a line where the output is none."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, TextIO

from rich import get_console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

log = logging.getLogger(__name__)

BETWEEN = 60.0
"""Seconds between the lines of a task."""


class Advance(Protocol):
    """Show that `done` of `total` units of the task `title` are done."""

    def __call__(self, title: str, done: int, total: int) -> None: ...


@contextmanager
def progress_bars() -> Iterator[Advance]:
    """One bar per title, made when it is first named; lines in a log where no terminal is."""
    if not get_console().is_terminal:
        yield Lines()
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    streams = sys.stdout, sys.stderr
    shown = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn())
    with shown as bars, _logs_above(streams):
        tasks = {}

        def advance(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=total)
            bars.update(tasks[title], completed=done, total=total)

        yield advance


@contextmanager
def _logs_above(streams: Sequence[TextIO]) -> Iterator[None]:
    """Logs that go to one of these streams go to what rich has put in the place of sys.stdout: they
    stand above the bars, and not behind them on their line.
    """
    every = [h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler)]
    moved = [(handler, handler.stream) for handler in every if handler.stream in streams]
    for handler, _ in moved:
        handler.setStream(sys.stdout)
    try:
        yield
    finally:
        for handler, stream in moved:
            handler.setStream(stream)


class Lines:
    """Progress as lines of a log: one in `BETWEEN` seconds, and one at the end of each task."""

    def __init__(self) -> None:
        self.began: dict[str, tuple[float, int]] = {}
        """When each task was first heard of, and how much of it was done then."""
        self.told: dict[str, float] = {}

    def __call__(self, title: str, done: int, total: int) -> None:
        """See `Advance`."""
        now = time.monotonic()
        start, before = self.began.setdefault(title, (now, done))
        if now - self.told.setdefault(title, now) < BETWEEN and done < total:
            return
        if self.told[title] == float("inf"):
            return
        self.told[title] = now if done < total else float("inf")
        passed = _clock(now - start)
        if done >= total:
            log.info("%s: %d of %d in %s", title, done, total, passed)
        elif done > before:
            left = _clock((now - start) * (total - done) / (done - before))
            log.info("%s: %d of %d in %s, %s left", title, done, total, passed, left)


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=round(seconds)))

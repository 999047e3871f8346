"""Progress bars with rate and time left; quiet where the output is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Advance(Protocol):
    """Show that `done` of `total` units of the task `title` are done."""

    def __call__(self, title: str, done: int, total: int) -> None: ...


def columns() -> tuple[ProgressColumn, ...]:
    """Title, bar, count, elapsed and remaining time."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )


@contextmanager
def progress_bars() -> Iterator[Advance]:
    """One bar per title, made when it is first named."""
    with Progress(*columns()) as bars:
        tasks = {}

        def advance(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=total)
            bars.update(tasks[title], completed=done, total=total)

        yield advance

"""Progress where the output is no terminal: few lines, with the time left."""

from __future__ import annotations

import io
import logging
import sys

import pytest
import rich
from rich.console import Console

from zol2l.terminal import progress
from zol2l.terminal.progress import progress_bars


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level("INFO")
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def test_a_line_a_minute_and_one_at_the_end(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with progress_bars() as show:
        for done in range(0, 201, 10):  # 20 s each
            show("zo_sgd", done, 200)
            clock.now += 20
        show("zo_sgd", 200, 200)
    lines = caplog.messages
    assert lines[0] == "zo_sgd: 30 of 200 in 0:01:00, 0:05:40 left"
    assert lines[-1] == "zo_sgd: 200 of 200 in 0:06:40"
    assert len(lines) == 7


def test_what_was_done_before_a_resume_says_nothing_of_the_speed(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with progress_bars() as show:
        show("training", 500, 1000)
        clock.now += 100
        show("training", 600, 1000)
    assert caplog.messages == ["training: 600 of 1000 in 0:01:40, 0:06:40 left"]


def test_tasks_are_told_apart(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with progress_bars() as show:
        show("a", 1, 2)
        show("b", 1, 2)
        clock.now += 1
        show("a", 2, 2)
        assert caplog.messages == ["a: 2 of 2 in 0:00:01"]


def test_logs_stand_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that has kept the stream writes through rich while bars are drawn."""
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(rich, "_console", Console(file=screen, force_terminal=True, width=80))
    handler = logging.StreamHandler(screen)
    logging.getLogger().addHandler(handler)
    try:
        with progress_bars() as show:
            show("zo_sgd", 0, 5)
            logging.getLogger().warning("a line")
        assert handler.stream is screen
    finally:
        logging.getLogger().removeHandler(handler)
    assert "\x1b[2Ka line\n" in screen.getvalue()  # after the bar's own line was cleared

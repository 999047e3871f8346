"""Where tables are printed."""

from __future__ import annotations

from rich.console import Console


def wide_console() -> Console:
    """The terminal, or 120 characters where there is none."""
    return Console(width=None if Console().is_terminal else 120)

"""Where tables are printed."""

from __future__ import annotations

from rich.console import Console

WIDE = 160


def wide_console() -> Console:
    """The terminal, or where there is none as wide as the widest table needs."""
    return Console(width=None if Console().is_terminal else WIDE)

"""Seeds for the parts of a run: neighbouring seeds share no random numbers."""

from __future__ import annotations

APART = 1_000_003
"""More parts than any run has."""


def seed_of(seed: int, part: int) -> int:
    """The seed of a part, numbered from 0, of what runs with a seed."""
    return seed * APART + part

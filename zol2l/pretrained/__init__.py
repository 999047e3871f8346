"""Released learned optimizers: a folder each, with the weights of both parts and a JSON card."""

from __future__ import annotations

from pathlib import Path

from zol2l.errors import InvalidInput

HERE = Path(__file__).parent
CARD = "card.json"
"""What each says of itself: task, q, mu, gain, horizon, command, commit, figures."""


def released() -> list[str]:
    """The names of all released optimizers."""
    return sorted(path.parent.name for path in HERE.glob(f"*/{CARD}"))


def released_folder(name: str) -> Path:
    """The folder of the released optimizer `name`."""
    if name not in released():
        raise InvalidInput("pretrained", name, f"one of {', '.join(released()) or 'none so far'}")
    return HERE / name

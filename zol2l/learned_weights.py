"""Learned parts (UpdateRNN, QueryRNN) on disk, each with a JSON card of what it was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zol2l.errors import InvalidInput, require
from zol2l.weights_file import BadCheckpoint, fill, read_signed, save_weights

CARD = "card"


def save_part(path: Path, part: nn.Module, card: Mapping[str, Any]) -> None:
    """Write a learned part atomically, its card in the file's metadata."""
    save_weights(path, part, {CARD: json.dumps(card, default=str)})


def load_part(path: Path, part: nn.Module) -> dict[str, Any]:
    """Load the weights at `path` into `part` and return their card."""
    weights, card = _read(path)
    try:
        fill(path, part, weights)
    except BadCheckpoint as error:
        raise _damaged(path, error) from error
    return card


def read_card_of(path: Path) -> dict[str, Any]:
    """The card of the learned part at `path`."""
    return _read(path)[1]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.exists():
        allowed = "no such file; run `zol2l meta-train` or `zol2l adv-train` first"
        raise InvalidInput("weights", path, allowed)
    try:
        weights, metadata = read_signed(path)
    except BadCheckpoint as error:
        raise _damaged(path, error) from error
    require(CARD in metadata, "weights", path, "a file that meta-train or adv-train has written")
    return weights, dict(json.loads(metadata[CARD]))


def _damaged(path: Path, error: BadCheckpoint) -> InvalidInput:
    return InvalidInput("weights", path, f"{error}; train it again")

"""Learned parts (UpdateRNN, QueryRNN) on disk, each with a JSON card of what it was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from zol2l.errors import InvalidInput
from zol2l.weights_file import BadCheckpoint, fill, read_signed, save_weights

CARD = "card"


def save_part(path: Path, part: nn.Module, card: Mapping[str, Any]) -> None:
    """Write a learned part atomically, its card in the file's metadata."""
    save_weights(path, part, {CARD: json.dumps(card, default=str)})


def load_part(path: Path, part: nn.Module) -> dict[str, Any]:
    """Load the weights at `path` into `part` and return their card."""
    if not path.exists():
        raise InvalidInput("weights", path, "no such file; run `zol2l meta-train` first")
    try:
        weights, metadata = read_signed(path)
        fill(path, part, weights)
    except BadCheckpoint as error:
        raise InvalidInput("weights", path, f"{error}; train it again") from error
    return dict(json.loads(metadata[CARD]))

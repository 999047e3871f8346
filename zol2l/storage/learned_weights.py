"""Learned parts (UpdateRNN, QueryRNN) on disk, each with a JSON card of what it was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zol2l.storage.bad_files import BadFile
from zol2l.storage.weights_file import fill, read_signed, save_weights

CARD = "card"


def save_part(path: Path, part: nn.Module, card: Mapping[str, Any]) -> None:
    """Write a learned part atomically, its card in the file's metadata."""
    save_weights(path, part, {CARD: json.dumps(card, default=str)})


def load_part(path: Path, part: nn.Module) -> dict[str, Any]:
    """Load the weights at `path` into `part` and return their card."""
    weights, card = _read(path)
    fill(path, part, weights)
    return card


def read_card_of(path: Path) -> dict[str, Any]:
    """The card of the learned part at `path`."""
    return _read(path)[1]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.exists():
        remedy = "run `zol2l meta-train` or `zol2l adv-train` first"
        raise BadFile(path, "no such file", remedy)
    weights, metadata = read_signed(path)
    if CARD not in metadata:
        raise BadFile(path, "was not written by meta-train or adv-train")
    return weights, dict(json.loads(metadata[CARD]))

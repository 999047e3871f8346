"""Learned parts on disk: safetensors with a JSON card, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from zol2l.errors import InvalidInput
from zol2l.resume import write_atomically

CARD = "card"


def save_part(path: Path, part: nn.Module, card: Mapping[str, Any]) -> None:
    """Write a learned part (UpdateRNN, QueryRNN) atomically, its card in the file's metadata."""
    weights = {k: v.detach().cpu().contiguous() for k, v in part.state_dict().items()}
    metadata = {CARD: json.dumps(card, default=str)}
    write_atomically(path, lambda temporary: save_file(weights, temporary, metadata=metadata))


def load_part(path: Path, part: nn.Module) -> dict[str, Any]:
    """Load the weights at `path` into `part` and return their card."""
    if not path.exists():
        raise InvalidInput("weights", path, "no such file; run `zol2l meta-train` first")
    try:
        with safe_open(path, framework="pt") as file:
            card = json.loads((file.metadata() or {}).get(CARD, "{}"))
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        part.load_state_dict(weights)
    except (SafetensorError, OSError) as error:
        raise InvalidInput("weights", path, f"cannot be read ({error}); train it again") from error
    except RuntimeError as error:
        wanted = {k: tuple(v.shape) for k, v in part.state_dict().items()}
        found = {k: tuple(v.shape) for k, v in weights.items()}
        allowed = f"another architecture: it holds {found}, {type(part).__name__} needs {wanted}"
        raise InvalidInput("weights", path, allowed) from error
    return dict(card)

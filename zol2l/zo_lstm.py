"""ZO-LSTM as one object: UpdateRNN, QueryRNN and forward differences (Ruan et al., ICLR 2020)."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any, Self

from zol2l.estimators import ForwardDifference
from zol2l.optimizer import ComposedOptimizer
from zol2l.pretrained import released_folder
from zol2l.sampling import QueryRNN
from zol2l.storage.learned_weights import load_part, read_card_of
from zol2l.updates import UpdateRNN

WEIGHTS = "weights.safetensors"
PARTS = ("update", "sampling")
PARTS_OF_CARD = ("sampling", "estimator", "update")


class ZOLSTM(ComposedOptimizer):
    """theta <- theta + scale * UpdateRNN(g), g a forward difference along QueryRNN's directions.

    The arguments are those of `QueryRNN`, `ForwardDifference` (`smoothing`, mu) and `UpdateRNN`.
    Cost: `directions` + 1 loss queries a step.
    """

    def __init__(
        self,
        directions: int = 20,
        hidden: int = 10,
        mixing: float = 0.5,
        normalize: bool = True,
        smoothing: float | None = None,
        scale: float = 1.0,
        gain: float = 1.0,
    ) -> None:
        sampling = QueryRNN(directions, hidden, mixing, normalize)
        super().__init__(sampling, ForwardDifference(smoothing), UpdateRNN(hidden, scale, gain))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        directions: int | None = None,
        scale: float | None = None,
        gain: float | None = None,
    ) -> Self:
        """A released optimizer by name ("mnist"), or the learned parts in a folder that holds
        update/weights.safetensors and sampling/weights.safetensors.

        It is the optimizer that was trained, as the weights say of themselves, unless
        `directions`, `gain` or `scale` are given; `scale` is alpha, to be tuned where the problem
        is another one (section 4.3).
        """
        path = Path(source) if Path(source).is_dir() else released_folder(str(source))
        given = {"directions": directions, "scale": scale, "gain": gain}
        chosen = {name: value for name, value in given.items() if value is not None}
        optimizer = cls(**{**_trained_as(path / "sampling" / WEIGHTS), **chosen})
        for part in PARTS:
            load_part(path / part / WEIGHTS, getattr(optimizer, part))
        return optimizer.requires_grad_(False).eval()


def _trained_as(weights: Path) -> dict[str, Any]:
    """The arguments of ZOLSTM with which QueryRNN, the second part, was trained."""
    parts = read_card_of(weights).get("settings", {}).get("optimizer", {})
    said = {name: value for part in PARTS_OF_CARD for name, value in parts.get(part, {}).items()}
    return {name: said[name] for name in signature(ZOLSTM).parameters if name in said}

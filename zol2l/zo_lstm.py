"""ZO-LSTM as one object: UpdateRNN, QueryRNN and forward differences (Ruan et al., ICLR 2020)."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from zol2l.estimators import ForwardDifference
from zol2l.learned_weights import load_part
from zol2l.optimizer import ComposedOptimizer
from zol2l.pretrained import CARD, read_card, released_folder
from zol2l.sampling import QueryRNN
from zol2l.updates import UpdateRNN

WEIGHTS = "weights.safetensors"
PARTS = ("update", "sampling")


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

        `directions`, `gain` and `scale` default to those that the release was trained with (20, 1
        and 1 for a folder without a card); `scale` is alpha, to be tuned where the problem is
        another one (section 4.3).
        """
        path = Path(source) if Path(source).is_dir() else released_folder(str(source))
        card = read_card(path) if (path / CARD).is_file() else {}
        given = {"directions": directions, "scale": scale, "gain": gain}
        chosen = {name: value for name, value in given.items() if value is not None}
        optimizer = cls(**{**{name: card[name] for name in given if name in card}, **chosen})
        for part in PARTS:
            load_part(path / part / WEIGHTS, getattr(optimizer, part))
        return optimizer.requires_grad_(False).eval()

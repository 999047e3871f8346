"""ZO-SGD's update (Ghadimi & Lan 2013)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zol2l.errors import require
from zol2l.types import GradientEstimate
from zol2l.updates.base import Update


class SGD(Update):
    """delta = -(rate / D) g; the learning rate is rate / D as in ZO-L2L section 4."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        require(rate > 0, "rate", rate, "a positive constant; the learning rate is rate/D")
        self.rate = rate

    def forward(self, estimate: GradientEstimate, state: Any) -> tuple[Tensor, None]:
        return estimate.gradient * (-self.rate / estimate.gradient.shape[-1]), None

"""ZO-signSGD's update (Liu et al., ICLR 2019)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zol2l.types import GradientEstimate
from zol2l.updates.sgd import SGD


class SignSGD(SGD):
    """delta = -(rate / D) sign(g); sign(0) = 0."""

    def forward(self, estimate: GradientEstimate, state: Any) -> tuple[Tensor, None]:
        return estimate.gradient.sign() * (-self.rate / estimate.gradient.shape[-1]), None

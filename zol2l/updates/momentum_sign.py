"""NES-PGD's update (Ilyas et al., ICML 2018): a momentum's sign, the step halved on plateaus."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.types import GradientEstimate, Rows
from zol2l.updates.base import Update


@dataclass(frozen=True)
class MomentumSignState(Rows):
    """Momentum (B, D), step size (B, 1), the losses (B, patience) since it last changed, oldest
    first, NaN where there were none yet.
    """

    momentum: Tensor
    rate: Tensor
    losses: Tensor


class MomentumSign(Update):
    """m = beta m + (1 - beta) g,  delta = -rate sign(m); `rate` is the step itself, in pixels.

    Where the last of `patience` losses is above the first, rate <- max(rate / 2, floor), and the
    losses are counted anew, for each instance by itself. A `rate` below the floor is kept.
    """

    def __init__(
        self, rate: float, beta: float = 0.9, patience: int = 5, floor: float = 5e-5
    ) -> None:
        super().__init__()
        require(rate > 0, "rate", rate, "a step size > 0")
        require(0 <= beta < 1, "beta", beta, "a decay rate in [0, 1)")
        require(patience >= 2, "patience", patience, "at least 2 losses")
        require(floor > 0, "floor", floor, "a step size > 0")
        self.rate, self.beta, self.patience, self.floor = rate, beta, patience, floor

    def init(self, theta: Tensor) -> MomentumSignState:
        """No momentum, the full step, no losses."""
        losses = theta.new_full((len(theta), self.patience), torch.nan)
        rate = theta.new_full((len(theta), 1), self.rate)
        return MomentumSignState(torch.zeros_like(theta), rate, losses)

    def forward(
        self, estimate: GradientEstimate, state: MomentumSignState
    ) -> tuple[Tensor, MomentumSignState]:
        momentum = torch.lerp(estimate.gradient, state.momentum, self.beta)
        losses = torch.cat([state.losses[:, 1:], estimate.base.loss], dim=1)
        risen = losses[:, -1:] > losses[:, :1]  # never of NaN
        lower = (state.rate / 2).clamp(min=min(self.floor, self.rate))
        rate = torch.where(risen, lower, state.rate)
        losses = torch.where(risen, torch.nan, losses)
        return -rate * momentum.sign(), MomentumSignState(momentum, rate, losses)

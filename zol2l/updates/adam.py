"""ZO-ADAM's update (Kingma & Ba 2015, on zeroth-order estimates as in Chen et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.types import GradientEstimate, Rows
from zol2l.updates.base import Update


@dataclass(frozen=True)
class AdamState(Rows):
    """First and second moment (B, D) and the number of steps taken, (B, 1) or (B, D)."""

    mean: Tensor
    square: Tensor
    step: Tensor


class Adam(Update):
    """m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,

    delta = -(rate / D) (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), per coordinate. beta2 is
    the release's of ZO-L2L.
    """

    def __init__(
        self, rate: float, beta1: float = 0.9, beta2: float = 0.996, eps: float = 1e-8
    ) -> None:
        super().__init__()
        require(rate > 0, "rate", rate, "a positive constant; the learning rate is rate/D")
        require(0 <= beta1 < 1, "beta1", beta1, "a decay rate in [0, 1)")
        require(0 <= beta2 < 1, "beta2", beta2, "a decay rate in [0, 1)")
        self.rate, self.beta1, self.beta2, self.eps = rate, beta1, beta2, eps

    def init(self, theta: Tensor) -> AdamState:
        """Zero moments."""
        zeros = torch.zeros_like(theta)
        return AdamState(zeros, zeros, zeros[:, :1])

    def forward(self, estimate: GradientEstimate, state: AdamState) -> tuple[Tensor, AdamState]:
        direction, state = self.moments(estimate.gradient, state)
        return direction * (-self.rate / direction.shape[-1]), state

    def moments(self, g: Tensor, state: AdamState) -> tuple[Tensor, AdamState]:
        """(m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps) (B, D), and the state with g taken in."""
        step = state.step + 1
        mean = torch.lerp(g, state.mean, self.beta1)
        square = torch.lerp(g.square(), state.square, self.beta2)
        numerator = mean / (1 - self.beta1**step)
        denominator = (square / (1 - self.beta2**step)).sqrt() + self.eps
        return numerator / denominator, AdamState(mean, square, step)

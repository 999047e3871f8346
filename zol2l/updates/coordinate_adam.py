"""ZOO's update: Adam for each coordinate by itself (Chen et al. 2017, algorithm 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.types import GradientEstimate, Rows
from zol2l.updates.base import Update


@dataclass(frozen=True)
class CoordinateAdamState(Rows):
    """First and second moment and the number of steps taken, (B, D) each."""

    mean: Tensor
    square: Tensor
    steps: Tensor


class CoordinateAdam(Update):
    """Adam whose moments and step counters change only where the estimate is not zero, that is, on
    the coordinates that the step has probed; the others stand still. `rate` is the step itself.
    """

    def __init__(
        self, rate: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__()
        require(rate > 0, "update.rate", rate, "a step size > 0")
        require(0 <= beta1 < 1, "update.beta1", beta1, "a decay rate in [0, 1)")
        require(0 <= beta2 < 1, "update.beta2", beta2, "a decay rate in [0, 1)")
        self.rate, self.beta1, self.beta2, self.eps = rate, beta1, beta2, eps

    def init(self, theta: Tensor) -> CoordinateAdamState:
        """Zero moments."""
        zeros = torch.zeros_like(theta)
        return CoordinateAdamState(zeros, zeros, zeros)

    def forward(
        self, estimate: GradientEstimate, state: CoordinateAdamState
    ) -> tuple[Tensor, CoordinateAdamState]:
        g = estimate.gradient
        probed = g != 0
        mean = torch.where(probed, torch.lerp(g, state.mean, self.beta1), state.mean)
        square = torch.where(probed, torch.lerp(g.square(), state.square, self.beta2), state.square)
        steps = state.steps + probed
        unbiased = (square / (1 - self.beta2**steps)).sqrt() + self.eps
        delta = -self.rate * mean / (1 - self.beta1**steps) / unbiased
        return torch.where(probed, delta, 0), CoordinateAdamState(mean, square, steps)

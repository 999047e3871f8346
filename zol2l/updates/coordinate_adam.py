"""ZOO's update: Adam for each coordinate by itself (Chen et al. 2017, algorithm 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from zol2l.types import GradientEstimate, map_tensors
from zol2l.updates.adam import Adam, AdamState


class CoordinateAdam(Adam):
    """Adam whose moments and step counters change only where the estimate is not zero, that is, on
    the coordinates that the step has probed; the others stand still. `rate` is the step itself, not
    divided by D.
    """

    def __init__(
        self, rate: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(rate, beta1, beta2, eps)

    def init(self, theta: Tensor) -> AdamState:
        """Zero moments, a counter a coordinate."""
        zeros = torch.zeros_like(theta)
        return AdamState(zeros, zeros, zeros)

    def forward(self, estimate: GradientEstimate, state: AdamState) -> tuple[Tensor, AdamState]:
        g = estimate.gradient
        probed = g != 0
        direction, moved = self.moments(g, state)
        kept = map_tensors(lambda new, old: torch.where(probed, new, old), moved, state)
        return torch.where(probed, -self.rate * direction, 0), kept

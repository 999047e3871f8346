"""Convex quadratics with a known optimum: for tests, demos and theory."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor

from zol2l.types import Evaluation, Optimizee


class Quadratic(Optimizee):
    """f_b(theta) = 1/2 sum_i a_bi (theta_i - c_bi)^2 with curvature a and optimum c, (B, D) each.

    The minimum is 0 at c. Starts at the origin.
    """

    smoothing = {torch.float32: 1e-2, torch.float64: 1e-4}

    def __init__(self, curvature: Tensor, optimum: Tensor) -> None:
        self.curvature, self.optimum = curvature, optimum
        self.instances, self.dimension = optimum.shape

    def __call__(self, theta: Tensor) -> Evaluation:
        gap = theta - self.optimum[:, None]
        return Evaluation(0.5 * (self.curvature[:, None] * gap.square()).sum(dim=-1))

    def start(self) -> Tensor:
        return torch.zeros_like(self.optimum)

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(self.curvature[rows], self.optimum[rows])

"""Forward-difference gradient estimate (Nesterov & Spokoiny 2017; ZO-L2L equation 1)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.estimators.base import Estimator, weighted_mean
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class ForwardDifference(Estimator):
    """g = 1/(mu Q) sum_i [f(theta + mu u_i) - f(theta)] u_i.

    Unbiased on linear functions for every mu when E[u u^T] = I; otherwise its bias is O(mu).
    Cost: Q + 1 loss queries a step; the first is the iterate itself.
    """

    def queries(self, directions: int, state: Any) -> int:
        return directions + 1

    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Any,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, None]:
        step, u = self.step_length(oracle, theta, directions), directions.u
        with torch.no_grad():
            points = torch.cat([theta[:, None], theta[:, None] + step * u], dim=1)
            evaluation = oracle.query(points)
            slopes = (evaluation.loss[:, 1:] - evaluation.loss[:, :1]) / step
        gradient = weighted_mean(slopes, u, oracle)
        return GradientEstimate(gradient, base=evaluation.points(slice(0, 1))), None

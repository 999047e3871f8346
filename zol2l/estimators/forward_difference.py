"""Forward-difference gradient estimate (Nesterov & Spokoiny 2017; ZO-L2L equation 1)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.estimators.differences import Differences
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class ForwardDifference(Differences):
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
        step = self.step_length(oracle, theta, directions)
        with torch.no_grad():
            centre = theta[:, None]
            evaluation = oracle.query(torch.cat([centre, centre + step * directions.u], dim=1))
        base, ahead = evaluation.split(1, directions.u.shape[1])
        return self.compare(base, ahead, base, step, directions, oracle, generator), None

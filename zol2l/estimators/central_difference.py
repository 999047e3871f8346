"""Central-difference gradient estimate along any directions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.estimators.base import Estimator, weighted_mean
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class CentralDifference(Estimator):
    """g = 1/(2 mu Q) sum_i [f(theta + mu u_i) - f(theta - mu u_i)] u_i.

    Its slopes are exact on quadratics; elsewhere the bias is O(mu^2). A term that is even around
    theta, as the kink of an l1 norm at its centre, cancels. Unbiased on linear functions for every
    mu when E[u u^T] = I.
    Cost: 2Q + 1 loss queries a step. The differences need 2Q; the first query is the iterate
    itself, so that a success is seen when it happens and not a step later.
    """

    def queries(self, directions: int, state: Any) -> int:
        return 2 * directions + 1

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
            centre = theta[:, None]
            evaluation = oracle.query(torch.cat([centre, centre + step * u, centre - step * u], 1))
            ahead, behind = evaluation.loss[:, 1:].chunk(2, dim=1)
            slopes = (ahead - behind) / (2 * step)
        gradient = weighted_mean(slopes, u, oracle)
        return GradientEstimate(gradient, base=evaluation.points(slice(0, 1))), None

"""Central-difference gradient estimate along any directions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.estimators.differences import Differences
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class CentralDifference(Differences):
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
        step = self.step_length(oracle, theta, directions)
        with torch.no_grad():
            centre, away = theta[:, None], step * directions.u
            evaluation = oracle.query(torch.cat([centre, centre + away, centre - away], dim=1))
        base, ahead, behind = evaluation.split(1, away.shape[1], away.shape[1])
        estimate = self.compare(base, ahead, behind, 2 * step, directions, oracle, generator)
        return estimate, None

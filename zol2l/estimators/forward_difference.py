"""Forward-difference gradient estimate (Nesterov & Spokoiny 2017; ZO-L2L equation 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zol2l.errors import require
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class ForwardDifference(nn.Module):
    """g = 1/(mu Q) sum_i [f(theta + mu u_i) - f(theta)] u_i.

    Unbiased on linear functions for every mu when E[u u^T] = I; otherwise its bias is O(mu).
    `smoothing` is mu; None takes the optimizee's default for the dtype. Function values are
    constants to autograd: gradients flow through u alone (reparameterization, section 3.3).
    Cost: Q + 1 loss queries a step; the first is the iterate itself.
    """

    def __init__(self, smoothing: float | None = None) -> None:
        super().__init__()
        valid = smoothing is None or smoothing > 0
        require(valid, "estimator.smoothing", smoothing, "a smoothing parameter mu > 0, or null")
        self.smoothing = smoothing

    def queries(self, directions: int) -> int:
        """Loss queries a step."""
        return directions + 1

    def forward(self, oracle: Oracle, theta: Tensor, directions: Directions) -> GradientEstimate:
        defaults = oracle.optimizee.smoothing
        known = self.smoothing is not None or theta.dtype in defaults
        require(
            known, "estimator.smoothing", None, f"this problem has no default mu in {theta.dtype}"
        )
        mu = self.smoothing or defaults[theta.dtype]
        u = directions.u
        with torch.no_grad():
            points = torch.cat([theta[:, None], theta[:, None] + mu * u], dim=1)
            evaluation = oracle.query(points)
            differences = (evaluation.loss[:, 1:] - evaluation.loss[:, :1]) / mu
            # A stopped instance's NaN must not reach weights that others share; its step is void.
            active = oracle.active.to(u.device)[:, None]
            differences = torch.where(active, differences, 0)
        gradient = torch.einsum("bq,bqd->bd", differences, u) / u.shape[1]
        return GradientEstimate(gradient, base=evaluation.points(slice(0, 1)))

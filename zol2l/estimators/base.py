"""What every estimator is: what was seen along the query directions, and what seeing it costs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.errors import require
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class Estimator(nn.Module):
    """(theta, directions, state) -> (estimate, state), by asking the oracle.

    `smoothing` is mu; None takes the optimizee's default for the dtype. Function values are
    constants to autograd: gradients flow through u alone (ZO-L2L section 3.3).
    """

    def __init__(self, smoothing: float | None = None) -> None:
        super().__init__()
        valid = smoothing is None or smoothing > 0
        require(valid, "smoothing", smoothing, "a smoothing parameter mu > 0, or null")
        self.smoothing = smoothing

    def init(self, theta: Tensor) -> Any:
        """The state before the first step at theta (B, D); None for estimators without memory."""
        return None

    @abstractmethod
    def queries(self, directions: int, state: Any) -> int | Tensor:
        """Loss queries of the next step along so many directions: a number for all instances, or
        (B,) on the CPU.
        """

    @abstractmethod
    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Any,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, Any]:
        """The estimate at theta (B, D), whose base is theta's own evaluation, and the next state.

        `generator` is for what an estimator draws beside the directions it is given.
        """

    def step_length(self, oracle: Oracle, theta: Tensor, directions: Directions) -> float:
        """How many u's away from theta the probes stand: mu times the directions' reach."""
        defaults = oracle.optimizee.smoothing
        known = self.smoothing is not None or theta.dtype in defaults
        allowed = f"this problem has no default mu in {theta.dtype}"
        require(known, "smoothing", None, allowed)
        return (self.smoothing or defaults[theta.dtype]) * directions.reach


def weighted_mean(slopes: Tensor, u: Tensor, oracle: Oracle) -> Tensor:
    """1/Q sum_i slopes_i u_i (B, D) of the slopes (B, Q) along the directions u (B, Q, D).

    Of slopes (B, Q, K), those of K functions, (B, K, D). A stopped instance's NaN must not reach
    weights that others share: its slopes are zero, and its step is void.
    """
    active = oracle.active.to(u.device).view(-1, *[1] * (slopes.ndim - 1))
    known = torch.where(active, slopes, 0)
    indices = "bq,bqd->bd" if slopes.ndim == 2 else "bqk,bqd->bkd"
    return torch.einsum(indices, known, u) / u.shape[1]

"""ZO-SZVR-G's variance-reduced estimate (Liu et al. 2018a; ZO-L2L appendix C.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.estimators.base import Estimator
from zol2l.estimators.forward_difference import ForwardDifference
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate, Rows


@dataclass(frozen=True)
class Snapshot(Rows):
    """The snapshot theta~ (B, D), its gradient estimate (B, D) and the steps taken so far (B,)."""

    theta: Tensor
    gradient: Tensor
    step: Tensor


class VarianceReduced(Estimator):
    """g = g(theta; U) - g(theta~; U) + g~ with the same Q directions U at both points.

    g(x; U) is the forward difference of equation 1. Every `epoch` steps theta~ <- theta, and g~ is
    its forward difference along q' = `snapshot_directions` fresh standard Gaussian directions,
    whatever the sampling rule. All of a step's differences use the step's minibatch. At an epoch's
    first step theta = theta~, hence g = g~ exactly. What the two points have in common cancels, so
    that near theta~ the directions U add little variance to that of g~. Unbiased on linear
    functions for every mu.
    Cost: 2(Q + 1) loss queries a step and q' + 1 more at the first step of an epoch.
    State: the snapshot.
    """

    def __init__(
        self, epoch: int = 10, snapshot_directions: int = 100, smoothing: float | None = None
    ) -> None:
        super().__init__(smoothing)
        require(epoch >= 1, "epoch", epoch, "at least 1 step")
        some = snapshot_directions >= 1
        require(some, "snapshot_directions", snapshot_directions, "at least 1 (q' >= 1)")
        self.epoch, self.snapshot_directions = epoch, snapshot_directions
        self.differences = ForwardDifference(smoothing)

    def init(self, theta: Tensor) -> Snapshot:
        """No snapshot yet; the first step takes one."""
        step = torch.zeros(len(theta), dtype=torch.int64, device=theta.device)
        return Snapshot(theta.detach(), torch.zeros_like(theta), step)

    def queries(self, directions: int, state: Snapshot) -> Tensor:
        inner = 2 * self.differences.queries(directions, None)
        snapshot = self.differences.queries(self.snapshot_directions, None)
        return inner + snapshot * self._due(state).cpu()

    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Snapshot,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, Snapshot]:
        state = self._renewed(oracle, theta, state, generator)
        here, _ = self.differences(oracle, theta, directions, None, generator)
        there, _ = self.differences(oracle, state.theta, directions, None, generator)
        gradient = here.gradient - there.gradient + state.gradient
        return replace(here, gradient=gradient), replace(state, step=state.step + 1)

    def _due(self, state: Snapshot) -> Tensor:
        return state.step % self.epoch == 0

    def _renewed(
        self, oracle: Oracle, theta: Tensor, state: Snapshot, generator: torch.Generator
    ) -> Snapshot:
        """Take a snapshot of the active instances whose epoch begins. Those of one run are at the
        same step; the instances that meta-training joins need not be.
        """
        due = self._due(state) & oracle.active.to(theta.device)
        if not bool(due.any()):
            return state
        shape = (len(theta), self.snapshot_directions, theta.shape[1])
        u = torch.randn(shape, generator=generator, dtype=theta.dtype, device=theta.device)
        with oracle.only(due.cpu()):
            taken, _ = self.differences(oracle, theta, Directions.standard(u), None, generator)
        return Snapshot(theta.detach(), taken.gradient, state.step).where(due, state)

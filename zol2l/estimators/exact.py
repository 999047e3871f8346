"""Exact gradients, for white-box attacks: PGD and NGD are compositions with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.estimators.base import Estimator
from zol2l.estimators.information import Information
from zol2l.oracle import Oracle
from zol2l.types import Directions, GradientEstimate


class ExactGradient(Estimator):
    """g = grad f(theta) by backpropagation; with `information`, exact scores of its outcomes.

    Cost: one query a step, a forward pass (Zhao et al. 2020, "Evaluation of White-box Attack"), and
    one backward pass for the loss and one for each outcome; none for an outcome that is the loss,
    as with cross-entropy and `OuterProduct`, or follows from it, as with `LogOdds`. Directions are
    not used: a sampling rule with one will do.
    """

    def __init__(self, information: Information | None = None) -> None:
        super().__init__()
        self.information = information

    def queries(self, directions: int, state: Any) -> int:
        return 1

    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Any,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, None]:
        with torch.enable_grad():
            leaf = theta.detach().requires_grad_()
            seen = oracle.query(leaf[:, None])
            active = oracle.active.to(theta.device)[:, None]

            def gradient(values: Tensor) -> Tensor:
                """Of values (B, 1), for the active instances; zero for the others."""
                require(values.requires_grad, "estimator", "exact", "a problem with a gradient")
                total = torch.where(active, values, 0).sum()
                (slope,) = torch.autograd.grad(total, leaf, retain_graph=True)
                return torch.where(active, slope, 0)

            slope = gradient(seen.loss)
            if self.information is None:
                return GradientEstimate(slope, seen.detach()), None
            scores = self.information.scores(seen, slope, gradient).detach()
        score = self.information.factor(seen, scores, oracle.active, generator)
        return GradientEstimate(slope, seen.detach(), score), None

"""Exact directional derivatives: what forward differences tend to, for meta-training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.estimators.base import Estimator, weighted_mean
from zol2l.meta_gradient import MetaGradient
from zol2l.oracle import Oracle
from zol2l.types import Directions, Evaluation, GradientEstimate


class DirectionalDerivative(Estimator):
    """g = 1/Q sum_i <f'(theta), u_i> u_i, the limit of forward and central differences as mu -> 0.

    Meta-training knows f' anyway, since equation 4 is differentiated through it; slopes taken from
    it spare the Q + 1 evaluations of a step. f' is the `gradient` given: by backpropagation or
    coordinatewise. As with differences, slopes are constants and gradients flow through u alone.
    Cost: no query; one derivative an instance and step. It is of no use to an attacker.
    """

    def __init__(self, gradient: MetaGradient) -> None:
        super().__init__()
        self.gradient = gradient

    def queries(self, directions: int, state: Any) -> int:
        return 0

    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Any,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, None]:
        value, derivative = oracle.differentiate(theta, self.gradient)
        slopes = torch.einsum("bqd,bd->bq", directions.u.detach(), derivative)
        estimate = weighted_mean(slopes, directions.u, oracle)
        return GradientEstimate(estimate, base=Evaluation(value[:, None])), None

"""What forward and central differences share: slopes along directions, averaged."""

from __future__ import annotations

import torch

from zol2l.estimators.base import Estimator, weighted_mean
from zol2l.estimators.information import Information
from zol2l.oracle import Oracle
from zol2l.types import Directions, Evaluation, GradientEstimate


class Differences(Estimator):
    """Estimates from differences of function values between pairs of points.

    With `information` the same queries also give the Fisher information of the black box's answer:
    its log-likelihoods are differenced as the loss is (ZO-NGD equations 16 and 17).
    """

    def __init__(
        self, smoothing: float | None = None, information: Information | None = None
    ) -> None:
        super().__init__(smoothing)
        self.information = information

    def compare(
        self,
        base: Evaluation,
        ahead: Evaluation,
        behind: Evaluation,
        distance: float,
        directions: Directions,
        oracle: Oracle,
        generator: torch.Generator,
    ) -> GradientEstimate:
        """The estimate at the iterate of evaluation `base` (n = 1), from the evaluations at points
        `ahead` (n = Q) of those `behind` (n = Q or 1), `distance` u's apart.
        """
        u, information = directions.u, self.information
        gradient = weighted_mean((ahead.loss - behind.loss) / distance, u, oracle)
        if information is None:
            return GradientEstimate(gradient, base)
        slopes = (information.outcomes(ahead) - information.outcomes(behind)) / distance
        gradients = weighted_mean(slopes, u, oracle)
        score = information.factor(base, gradients, oracle.active, generator)
        return GradientEstimate(gradient, base, score)

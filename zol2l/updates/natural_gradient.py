"""The natural-gradient update of ZO-NGD (Zhao et al., AAAI 2020, equations 18-22)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.errors import InvalidInput, require
from zol2l.types import GradientEstimate
from zol2l.updates.base import Update


class NaturalGradient(Update):
    """delta = -rate (S^T S + gamma I)^-1 g with the Fisher information F = S^T S of the estimate.

    S (B, K, D) has K rows, one an outcome; no D x D matrix is made:
    (S^T S + gamma I)^-1 g = [g - S^T (gamma I + S S^T)^-1 S g] / gamma,
    Sherman-Morrison's formula (equation 21) for K = 1. `damping` is gamma. `rate` is the step size
    lambda itself, not divided by D. Computed in float64: where a row lies along g and gamma is
    small the difference is little more than rounding.
    """

    def __init__(self, rate: float, damping: float = 0.01) -> None:
        super().__init__()
        require(rate > 0, "rate", rate, "a step size lambda > 0")
        require(damping > 0, "damping", damping, "a damping gamma > 0")
        self.rate, self.damping = rate, damping

    def forward(self, estimate: GradientEstimate, state: Any) -> tuple[Tensor, None]:
        allowed = "an estimator with `information`, whose Fisher matrix this update inverts"
        if estimate.score is None:
            raise InvalidInput("update", "natural_gradient", allowed)
        g, s = estimate.gradient.double(), estimate.score.double()
        gram = s @ s.transpose(1, 2)
        damped = gram + self.damping * torch.eye(s.shape[1], dtype=g.dtype, device=g.device)
        projected = torch.linalg.solve(damped, s @ g[..., None])
        natural = (g - (s.transpose(1, 2) @ projected)[..., 0]) / self.damping
        return (-self.rate * natural).to(estimate.gradient.dtype), None

"""Ask an estimator about a problem, along given directions."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.problems import seeded
from zol2l.estimators import Estimator
from zol2l.oracle import Oracle
from zol2l.types import Directions, Optimizee


def estimate(estimator: Estimator, optimizee: Optimizee, theta: Tensor, u: Tensor) -> Tensor:
    """The gradient (B, D) of an estimator's first step at theta."""
    oracle, state = Oracle(optimizee), estimator.init(theta)
    return estimator(oracle, theta, Directions.standard(u), state, seeded())[0].gradient


def projected(gradient: Tensor, u: Tensor) -> Tensor:
    """What exact directional derivatives along u would give."""
    return torch.einsum("bd,bqd,bqe->be", gradient, u, u) / u.shape[1]


def orthogonal(instances: int, dimension: int, draws: Tensor) -> Tensor:
    """D directions of length sqrt(D) whose u u^T average to the identity."""
    basis: Tensor = torch.linalg.qr(draws.view(instances, dimension, dimension)).Q
    return dimension**0.5 * basis

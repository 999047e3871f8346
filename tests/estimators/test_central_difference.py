"""Central differences: exact on quadratics, blind to even terms, bias of order mu^2."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.estimators.ask import estimate, orthogonal, projected
from tests.problems import Linear, Recorded, normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.estimators import CentralDifference
from zol2l.optimizees import FunctionOptimizee
from zol2l.oracle import Oracle
from zol2l.sampling import LastStep, RandomCoordinates
from zol2l.types import Directions


@pytest.mark.parametrize("mu", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_orthogonal_directions_give_the_exact_gradient_of_linear_functions(
    mu: float, dimension: int, dtype: torch.dtype
) -> None:
    slope, theta = (normal(3, dimension, seed=s, dtype=dtype) for s in (3, 4))
    u = orthogonal(3, dimension, normal(3, dimension, dimension, seed=5)).to(dtype)
    error = (estimate(CentralDifference(mu), Linear(slope), theta, u) - slope).norm(dim=-1)
    size = slope.norm(dim=-1) * (theta.norm(dim=-1) / mu + math.sqrt(dimension))
    rounding = torch.finfo(dtype).eps * dimension * math.sqrt(dimension) * size
    assert (error <= 4 * rounding).all(), (error, rounding)


@pytest.mark.parametrize("mu", [1e-2, 1.0, 10.0])
def test_slopes_of_quadratics_are_exact_for_every_mu(mu: float) -> None:
    problem, theta, u = quadratic(2, 4), normal(2, 4, seed=8), normal(2, 3, 4, seed=9)
    exact = projected(problem.curvature * (theta - problem.optimum), u)
    assert torch.allclose(estimate(CentralDifference(mu), problem, theta, u), exact, rtol=1e-9)


@pytest.mark.parametrize("mu", [1e-2, 1.0])
def test_on_all_coordinates_it_is_the_gradient_of_a_quadratic(mu: float) -> None:
    """mu is the step along the coordinate, whatever D is."""
    problem, theta = Recorded(quadratic(2, 5)), normal(2, 5, seed=8)
    directions, _ = RandomCoordinates(5)(LastStep(theta, theta), None, seeded())
    found, _ = CentralDifference(mu)(Oracle(problem), theta, directions, None, seeded())
    exact = problem.inner.curvature * (theta - problem.inner.optimum)
    assert torch.allclose(found.gradient, exact, rtol=1e-9)
    moved = problem.calls[0].theta[:, 1:] - theta[:, None]
    assert torch.allclose(moved.abs().sum(dim=-1), torch.full((2, 10), mu).double(), rtol=1e-9)


def test_smoothing_bias_on_a_cubic_is_mu_squared_u_cubed() -> None:
    """[(x + mu u)^3 - (x - mu u)^3] / (2 mu) = 3 x^2 u + mu^2 u^3."""
    theta, u = torch.full((1, 4), 0.7).double(), normal(1, 3, 4, seed=7)

    def cubic(x: Tensor) -> Tensor:
        return x.pow(3).sum(dim=-1)

    exact = projected(3 * theta.square(), u)
    for mu in (0.1, 1.0):
        bias = mu**2 * torch.einsum("bq,bqd->bd", u.pow(3).sum(dim=-1), u) / u.shape[1]
        got = estimate(CentralDifference(mu), FunctionOptimizee(cubic, theta), theta, u)
        assert torch.allclose(got, exact + bias, rtol=1e-9)


def test_the_kink_of_an_l1_norm_cancels_at_its_centre() -> None:
    theta, u = torch.zeros(2, 4).double(), normal(2, 3, 4, seed=7)
    problem = FunctionOptimizee(lambda x: x.abs().sum(dim=-1), theta)
    assert torch.equal(estimate(CentralDifference(0.1), problem, theta, u), torch.zeros_like(theta))


def test_it_costs_two_q_plus_one_points_and_the_first_is_the_iterate() -> None:
    problem = Recorded(quadratic(2, 4))
    theta, u = normal(2, 4, seed=10), normal(2, 3, 4, seed=11)
    oracle, estimator = Oracle(problem), CentralDifference(0.2)
    found, _ = estimator(oracle, theta, Directions.standard(u, reach=0.5), None, seeded())
    assert problem.counts(2).tolist() == [7, 7] == oracle.loss_queries.tolist()
    assert estimator.queries(3, None) == 7
    points = torch.cat([theta[:, None], theta[:, None] + 0.1 * u, theta[:, None] - 0.1 * u], dim=1)
    assert torch.equal(problem.calls[0].theta, points)
    assert torch.equal(found.base.loss, problem.inner(theta[:, None]).loss)


def test_gradients_flow_through_the_directions_alone() -> None:
    problem, theta = quadratic(1, 3), normal(1, 3, seed=14).requires_grad_()
    u, weight = normal(1, 2, 3, seed=15).requires_grad_(), normal(1, 3, seed=16)
    (estimate(CentralDifference(0.1), problem, theta, u) * weight).sum().backward()
    slopes = (problem.curvature * (theta.detach() - problem.optimum) * u.detach()).sum(dim=-1)
    assert theta.grad is None
    assert torch.allclose(u.grad, slopes[0][None, :, None] * weight[:, None] / 2)


def test_bad_smoothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"smoothing"):
        CentralDifference(0.0)

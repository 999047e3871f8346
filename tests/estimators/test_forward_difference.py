"""Forward differences: unbiased on linear functions, smoothing bias of the theoretical order."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.doubles import last_step
from tests.estimators import ask
from tests.estimators.ask import orthogonal, projected
from tests.problems import Linear, Recorded, normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.estimators import ForwardDifference
from zol2l.optimizees import FunctionOptimizee
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling
from zol2l.types import Directions, Optimizee

MUS = [1e-3, 1.0, 100.0]


def estimate(optimizee: Optimizee, theta: Tensor, u: Tensor, mu: float | None) -> Tensor:
    return ask.estimate(ForwardDifference(mu), optimizee, theta, u)


@pytest.mark.parametrize("mu", MUS)
@pytest.mark.parametrize("instances", [1, 5])
@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_orthogonal_directions_give_the_exact_gradient_of_linear_functions(
    mu: float, instances: int, dimension: int, dtype: torch.dtype
) -> None:
    slope = normal(instances, dimension, seed=3, dtype=dtype)
    theta = normal(instances, dimension, seed=4, dtype=dtype)
    u = orthogonal(instances, dimension, normal(instances, dimension, dimension, seed=5)).to(dtype)
    error = (estimate(Linear(slope), theta, u, mu) - slope).norm(dim=-1)
    size = slope.norm(dim=-1) * (theta.norm(dim=-1) / mu + math.sqrt(dimension))
    rounding = torch.finfo(dtype).eps * dimension * math.sqrt(dimension) * size
    assert (error <= 4 * rounding).all(), (error, rounding)


@pytest.mark.parametrize("mu", MUS)
@pytest.mark.parametrize("directions", [1, 3])
def test_gaussian_estimate_of_a_linear_function_is_unbiased_with_the_stated_variance(
    mu: float, directions: int, dtype: torch.dtype
) -> None:
    """E g = a and Var g_i = (||a||^2 + a_i^2) / Q, over 40,000 independent instances."""
    samples = 40_000
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=dtype).repeat(samples, 1)
    sampling = GaussianSampling(directions)
    theta = torch.zeros_like(slope)
    u = sampling(last_step(theta), None, seeded(6))[0].u
    gradient = estimate(Linear(slope), theta, u, mu).double()
    a = slope[0].double()
    variance = (a.square().sum() + a.square()) / directions
    standard_error = (variance / samples).sqrt()
    assert ((gradient.mean(dim=0) - a).abs() <= 4 * standard_error).all()
    assert torch.allclose(gradient.var(dim=0), variance, rtol=0.05)


def order(errors: list[float], mus: Tensor) -> float:
    """Slope of log error on log mu."""
    x, y = mus.log(), torch.tensor(errors, dtype=torch.float64).log()
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / x.square().sum())


def cubic(theta: Tensor) -> Tensor:
    return theta.pow(3).sum(dim=-1)


@pytest.mark.parametrize(
    ("at", "antithetic", "expected"),
    [(0.0, False, 2), (0.7, False, 1), (0.7, True, 2)],
    ids=["no curvature: mu^2", "curved: mu", "directions +-u: mu^2"],
)
def test_smoothing_bias_on_a_cubic_has_the_theoretical_order(
    at: float, antithetic: bool, expected: int
) -> None:
    theta = torch.full((1, 4), at, dtype=torch.float64)
    u = normal(1, 3, 4, seed=7)
    u = torch.cat([u, -u], dim=1) if antithetic else u
    exact = projected(3 * theta.square(), u)
    mus = torch.logspace(-4, -2, 7, dtype=torch.float64)
    optimizee = FunctionOptimizee(cubic, theta)
    errors = [(estimate(optimizee, theta, u, float(mu)) - exact).norm().item() for mu in mus]
    assert order(errors, mus) == pytest.approx(expected, abs=0.05)


def test_smoothing_bias_on_a_quadratic_is_mu_half_u_A_u() -> None:
    problem, theta, u = quadratic(2, 4), normal(2, 4, seed=8), normal(2, 3, 4, seed=9)
    exact = projected(problem.curvature * (theta - problem.optimum), u)
    curvature = torch.einsum("bd,bqd->bq", problem.curvature, u.square())
    for mu in (1e-3, 1e-1, 10.0):
        bias = mu / 2 * torch.einsum("bq,bqd->bd", curvature, u) / u.shape[1]
        assert torch.allclose(estimate(problem, theta, u, mu), exact + bias, rtol=1e-9)


def test_it_costs_q_plus_one_points_and_the_first_is_the_iterate() -> None:
    problem = Recorded(quadratic(2, 4))
    theta, u = normal(2, 4, seed=10), normal(2, 3, 4, seed=11)
    oracle = Oracle(problem)
    directions = Directions.standard(u, reach=0.5)
    estimator = ForwardDifference(0.2)
    found, _ = estimator(oracle, theta, directions, None, seeded())
    assert problem.counts(2).tolist() == [4, 4] == oracle.loss_queries.tolist()
    assert estimator.queries(3, None) == 4
    assert torch.equal(problem.calls[0].theta[:, 0], theta)
    assert torch.equal(problem.calls[0].theta[:, 1:], theta[:, None] + 0.1 * u)
    assert torch.equal(found.base.loss, problem.inner(theta[:, None]).loss)


def test_null_smoothing_takes_the_default_of_the_dtype(dtype: torch.dtype) -> None:
    problem = quadratic(2, 4, dtype)
    theta, u = normal(2, 4, seed=12, dtype=dtype), normal(2, 3, 4, seed=13, dtype=dtype)
    default = estimate(problem, theta, u, None)
    assert torch.equal(default, estimate(problem, theta, u, problem.smoothing[dtype]))
    assert not torch.equal(default, estimate(problem, theta, u, 2 * problem.smoothing[dtype]))


def test_gradients_flow_through_the_directions_alone() -> None:
    """d/du of 1/Q sum_i d_i u_i with the differences d constant, and nothing through theta."""
    problem = quadratic(1, 3)
    theta = normal(1, 3, seed=14).requires_grad_()
    u, weight = normal(1, 2, 3, seed=15).requires_grad_(), normal(1, 3, seed=16)
    (estimate(problem, theta, u, 0.1) * weight).sum().backward()
    with torch.no_grad():
        values = problem(torch.cat([theta[:, None], theta[:, None] + 0.1 * u], dim=1)).loss
        differences = (values[:, 1:] - values[:, :1]) / 0.1
    assert theta.grad is None
    assert torch.allclose(u.grad, differences[..., None] * weight[:, None] / 2)


@pytest.mark.parametrize("mu", [0.0, -1e-3, math.nan])
def test_bad_smoothing_is_refused(mu: float) -> None:
    with pytest.raises(InvalidInput, match=r"smoothing"):
        ForwardDifference(mu)

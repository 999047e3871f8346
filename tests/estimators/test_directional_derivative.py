"""Slopes from the derivative: what differences tend to, at no query."""

from __future__ import annotations

import pytest
import torch

from tests.estimators.ask import estimate, projected
from tests.problems import Breaking, Linear, Recorded, normal, quadratic, seeded
from zol2l.estimators import (
    CentralDifference,
    CoordinatewiseGradient,
    DirectionalDerivative,
    ForwardDifference,
)
from zol2l.meta_gradient import Remembering, autograd_gradient
from zol2l.oracle import Oracle
from zol2l.types import Directions

B, Q, D = 3, 4, 5
THETA, U = normal(B, D, seed=1), normal(B, Q, D, seed=2)


@pytest.mark.parametrize("mu", [1e-3, 10.0])
def test_it_is_the_forward_difference_of_linear_functions(mu: float) -> None:
    problem = Linear(normal(B, D, seed=3))
    exact = estimate(DirectionalDerivative(autograd_gradient), problem, THETA, U)
    torch.testing.assert_close(exact, estimate(ForwardDifference(mu), problem, THETA, U))


def test_differences_tend_to_it_with_the_order_of_mu() -> None:
    """On a quadratic forward differences are off by mu/2 u^T A u, central ones by nothing."""
    problem = quadratic(B, D)
    exact = estimate(DirectionalDerivative(autograd_gradient), problem, THETA, U)
    torch.testing.assert_close(exact, estimate(CentralDifference(0.5), problem, THETA, U))
    errors = [
        (estimate(ForwardDifference(mu), problem, THETA, U) - exact).norm() for mu in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize("gradient", [autograd_gradient, CoordinatewiseGradient()])
def test_it_projects_the_derivative_it_is_given(gradient) -> None:
    problem = quadratic(B, D)
    _, derivative = gradient(problem, THETA)
    found = estimate(DirectionalDerivative(gradient), problem, THETA, U)
    torch.testing.assert_close(found, projected(derivative, U))


def test_gradients_flow_through_the_directions_as_with_differences() -> None:
    problem = Linear(normal(B, D, seed=3))
    flows = []
    for estimator in (DirectionalDerivative(autograd_gradient), ForwardDifference(1e-3)):
        std = torch.ones(B, D, dtype=torch.float64, requires_grad=True)
        weighted = estimate(estimator, problem, THETA, std[:, None] * U) * normal(B, D, seed=4)
        flows.append(torch.autograd.grad(weighted.sum(), std)[0])
    torch.testing.assert_close(*flows)


def test_no_query_is_counted_and_a_broken_instance_stops_alone() -> None:
    oracle = Oracle(Breaking(quadratic(B, D), row=1, step=1))
    estimator = DirectionalDerivative(autograd_gradient)
    assert estimator.queries(Q, None) == 0
    oracle.begin_step(seeded())
    seen, _ = estimator(oracle, THETA, Directions.standard(U), None, seeded())
    assert oracle.failed.tolist() == [False, True, False]
    assert oracle.loss_queries.tolist() == oracle.check_queries.tolist() == [0] * B
    assert seen.base.loss[:, 0].isnan().tolist() == [False, True, False]
    whole = estimate(estimator, quadratic(B, D), THETA, U)
    torch.testing.assert_close(seen.gradient[[0, 2]], whole[[0, 2]])
    assert (seen.gradient[1] == 0).all()
    again, _ = estimator(oracle, THETA, Directions.standard(U), None, seeded())
    torch.testing.assert_close(again.gradient, seen.gradient)


def test_the_same_point_is_not_asked_for_twice() -> None:
    problem = Recorded(quadratic(B, D))
    remembering = Remembering(autograd_gradient)
    first = remembering(problem, THETA)
    assert remembering(problem, THETA) is first
    assert len(problem.calls) == 1
    remembering(problem, THETA.clone())
    remembering(problem[[0]], THETA[[0]])
    assert len(problem.calls) == 3

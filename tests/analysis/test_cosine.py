"""Cosine similarity of estimates and gradients (figure 4d)."""

from __future__ import annotations

import math

import pytest
import torch

from tests.problems import Linear, normal
from zol2l.analysis.cosine import cosine_similarity
from zol2l.errors import InvalidInput
from zol2l.estimators import CentralDifference, ForwardDifference
from zol2l.optimizer import ComposedOptimizer
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, RandomCoordinates
from zol2l.types import Evaluation
from zol2l.updates import SGD


class UntilLow(Linear):
    """A linear function whose instances succeed below zero."""

    def __call__(self, theta: torch.Tensor) -> Evaluation:
        loss = super().__call__(theta).loss
        return Evaluation(loss, success=loss < 0)


def gaussian() -> ComposedOptimizer:
    return ComposedOptimizer(GaussianSampling(7), ForwardDifference(), SGD(1e-9))


@pytest.mark.parametrize("dimension", [2, 5])
def test_one_gaussian_direction_has_the_angle_of_a_random_line(dimension: int) -> None:
    """E|cos| = Gamma(D/2) / (sqrt(pi) Gamma((D+1)/2)) for a uniformly random direction."""
    slope = normal(4000, dimension, seed=5)
    table = cosine_similarity(
        {"zo_sgd": gaussian()}, lambda: Oracle(Linear(slope)), [1], 2, 0, lambda *_: None
    )
    expected = math.gamma(dimension / 2) / math.sqrt(math.pi) / math.gamma((dimension + 1) / 2)
    (row,) = table.to_dict("records")
    assert row["cosine_mean"] == pytest.approx(expected, abs=4 * row["cosine_sem"])
    assert row["cosine_sem"] < 0.01


def test_all_coordinates_give_the_gradient_itself() -> None:
    slope = normal(3, 4)
    scd = ComposedOptimizer(RandomCoordinates(1), CentralDifference(), SGD(0.1))
    table = cosine_similarity(
        {"zo_scd": scd, "zo_sgd": gaussian()}, lambda: Oracle(Linear(slope)), [1, 4], 3, 0,
        lambda *_: None,
    )  # fmt: skip
    shown = table.set_index(["method", "directions"])["cosine_mean"]
    assert shown["zo_scd", 4] == pytest.approx(1, abs=1e-6)
    assert shown["zo_scd", 1] < 1
    assert shown["zo_sgd", 1] < shown["zo_sgd", 4] < 1


def test_an_instance_counts_until_its_first_success() -> None:
    """The second instance has succeeded at its start: the mean is the first one's alone."""
    slope, theta0 = normal(2, 3), torch.zeros(2, 3, dtype=torch.float64)
    theta0[0], theta0[1] = 5 * slope[0], -slope[1]
    asked = lambda rows: cosine_similarity(  # noqa: E731
        {"m": gaussian()}, lambda: Oracle(UntilLow(slope[rows], theta0[rows])), [200], 1, 0,
        lambda *_: None,
    )["cosine_mean"][0]  # fmt: skip
    assert asked([0, 1]) == pytest.approx(asked([0]), abs=0.05)
    both = cosine_similarity(
        {"m": gaussian()}, lambda: Oracle(UntilLow(slope, theta0)), [200], 1, 0, lambda *_: None
    )
    assert math.isnan(both["cosine_sem"][0])  # of one instance there is no spread


def test_trials_of_an_instance_are_no_further_instances() -> None:
    slope = normal(2, 3).repeat_interleave(50, dim=0)
    asked = [
        cosine_similarity(
            {"m": gaussian()}, lambda: Oracle(Linear(slope)), [2], 1, 0, lambda *_: None, trials
        )
        for trials in (1, 50)
    ]
    each, together = (table.to_dict("records")[0] for table in asked)
    assert together["cosine_mean"] == pytest.approx(each["cosine_mean"])
    one = cosine_similarity(
        {"m": gaussian()}, lambda: Oracle(Linear(slope[:50])), [2], 1, 0, lambda *_: None, 50
    )
    assert math.isnan(one["cosine_sem"][0])


def test_a_budget_below_a_first_step_is_refused() -> None:
    message = "evaluation.budget=8: at least one step and a check, 9 queries"
    with pytest.raises(InvalidInput, match=message):
        cosine_similarity(
            {"m": gaussian()}, lambda: Oracle(Linear(normal(2, 3)), 8), [7], 1, 0, lambda *_: None
        )

"""One coordinate's trajectory (figure 4e)."""

from __future__ import annotations

import numpy as np
import torch

from tests.problems import quadratic
from zol2l.analysis.coordinate import coordinate_trajectory
from zol2l.estimators import ForwardDifference
from zol2l.optimizer import ComposedOptimizer
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.updates import SGD, Adam, UpdateRNN

STEPS = 6


def adam_run(**options: object):
    adam = ComposedOptimizer(GaussianSampling(4), ForwardDifference(), Adam(0.5))
    others = {"zo_sgd": SGD(1.5), "zo_adam": Adam(0.5)}
    oracle = Oracle(quadratic(1, 3))
    return coordinate_trajectory(adam, others, oracle, STEPS, seed=2, **options)


def test_a_rule_given_its_own_estimates_moves_as_it_moved() -> None:
    table = adam_run(coordinate=1)
    assert list(table["step"]) == list(range(STEPS))
    np.testing.assert_allclose(table["delta_zo_adam"], table["delta"], rtol=1e-9)
    np.testing.assert_allclose(table["delta_zo_sgd"], -1.5 / 3 * table["estimate"], rtol=1e-9)
    moved = table["theta"].iloc[0] + table["delta"].cumsum().shift(fill_value=0)
    np.testing.assert_allclose(table["theta"], moved, rtol=1e-9)
    assert (table["std"] == 1).all()


def test_the_coordinate_that_ends_farthest_is_taken() -> None:
    def travelled(table):
        return abs(table["delta"].sum())

    farthest = max((adam_run(coordinate=i) for i in range(3)), key=travelled)
    assert adam_run().equals(farthest)


def test_what_query_rnn_predicts_is_shown_even_where_the_identity_was_used() -> None:
    learned = ComposedOptimizer(QueryRNN(4, mixing=0.0), ForwardDifference(), UpdateRNN()).double()
    with torch.no_grad():
        for weight in learned.sampling.parameters():
            weight.normal_(std=3.0, generator=torch.Generator().manual_seed(1))
    table = coordinate_trajectory(learned, {}, Oracle(quadratic(1, 3)), STEPS, seed=0)
    assert (table["std"] > 0).all()
    assert table["std"].nunique() > 1

"""The oracle counts what was called, splits calls, keeps budgets and stops broken instances."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.problems import Breaking, Recorded, Wrapper, normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import BlackBoxAttack
from zol2l.oracle import Oracle, evaluate_in_chunks
from zol2l.types import Evaluation


def attack(instances: int = 5) -> BlackBoxAttack:
    images = torch.rand(instances, 1, 2, 3, generator=seeded(1), dtype=torch.float64)
    weight = normal(6, 4, seed=2)
    return BlackBoxAttack(lambda x: x.flatten(1) @ weight, images, torch.arange(instances) % 4)


@pytest.mark.parametrize("chunk", [1, 2, 3, 6, 7, 12, 13, 14, 34, 35, 1000, None])
def test_chunks_change_nothing_and_no_call_exceeds_them(chunk: int | None) -> None:
    problem, theta = Recorded(attack()), normal(5, 7, 6, seed=3)
    chunked = evaluate_in_chunks(problem, theta, chunk)
    whole = attack()(theta)
    for name in ("loss", "attack_loss", "distortion", "log_likelihood"):
        got, expected = getattr(chunked, name), getattr(whole, name)
        assert torch.allclose(got, expected, rtol=1e-14, atol=1e-14), name
    assert torch.equal(chunked.success, whole.success)
    assert torch.equal(chunked.prediction, whole.prediction)
    assert chunked.log_probabilities is None
    sizes = [call.theta.shape[0] * call.theta.shape[1] for call in problem.calls]
    assert sum(sizes) == 35
    assert max(sizes) <= (chunk or 35)


@pytest.mark.parametrize("chunk", [1, 4, 9, 210, None])
def test_counters_equal_the_calls_of_the_function(chunk: int | None) -> None:
    problem = Recorded(quadratic(3, 2))
    oracle = Oracle(problem, chunk=chunk)
    oracle.query(normal(3, 4, 2))
    oracle.stop(torch.tensor([False, True, False]))
    oracle.query(normal(3, 5, 2))
    assert oracle.loss_queries.tolist() == [9, 4, 9] == problem.counts(3).tolist()
    oracle.check(normal(3, 2))
    assert oracle.check_queries.tolist() == [1, 1, 1]
    assert problem.counts(3).tolist() == [10, 5, 10]


def test_a_stopped_instance_gets_nan_rows_and_the_others_their_values() -> None:
    problem, theta = attack(3), normal(3, 2, 6, seed=4)
    oracle = Oracle(problem)
    oracle.stop(torch.tensor([False, True, False]))
    seen, whole = oracle.query(theta), problem(theta)
    for name in ("loss", "attack_loss", "distortion"):
        values = getattr(seen, name)
        assert values[1].isnan().all(), name
        assert torch.allclose(values[[0, 2]], getattr(whole, name)[[0, 2]], rtol=1e-14), name
    assert not seen.success[1].any()
    assert torch.equal(seen.success[[0, 2]], whole.success[[0, 2]])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("point", [0, 1, -1])
def test_a_broken_instance_is_stopped_at_once_and_never_called_again(
    value: float, point: int
) -> None:
    problem = Recorded(Breaking(quadratic(4, 2), row=2, step=0, value=value, point=point))
    oracle = Oracle(problem, chunk=3)
    theta = normal(4, 3, 2, seed=5)
    first = oracle.query(theta)
    assert oracle.failed.tolist() == [False, False, True, False]
    assert oracle.active.tolist() == [True, True, False, True]
    assert oracle.loss_queries.tolist() == [3, 3, 3, 3]
    problem.calls.clear()
    second = oracle.query(theta)
    oracle.check(theta[:, 0])
    assert all(2 not in call.rows for call in problem.calls)
    assert problem.counts(4).tolist() == [4, 4, 0, 4]
    assert oracle.loss_queries.tolist() == [6, 6, 3, 6]
    assert oracle.check_queries.tolist() == [1, 1, 0, 1]
    assert torch.equal(first.loss[[0, 1, 3]], second.loss[[0, 1, 3]])


@pytest.mark.parametrize(("budget", "affordable"), [(4, 0), (5, 1), (8, 1), (9, 2), (12, 2)])
def test_the_budget_is_hard_and_keeps_one_query_for_the_check(budget: int, affordable: int) -> None:
    problem = Recorded(quadratic(2, 2))
    oracle = Oracle(problem, budget)
    answers = [oracle.query(normal(2, 4, 2)) for _ in range(4)]
    answered = [bool(answer.loss.isfinite().all()) for answer in answers]
    assert answered == [True] * affordable + [False] * (4 - affordable)
    oracle.check(normal(2, 2))
    spent = oracle.loss_queries + oracle.check_queries
    assert spent.tolist() == problem.counts(2).tolist() == [4 * affordable + 1] * 2
    assert (spent <= budget).all()
    assert not oracle.failed.any(), "out of budget is not a failure"


def test_budgets_are_kept_per_instance() -> None:
    oracle = Oracle(Recorded(quadratic(2, 2)), budget=10)
    oracle.set_counters((torch.tensor([0, 6]), *oracle.counters()[1:]))
    answer = oracle.query(normal(2, 4, 2))
    assert oracle.active.tolist() == [True, False]
    assert answer.loss.isfinite().all(dim=1).tolist() == [True, False]


@pytest.mark.parametrize(("prices", "payable"), [([4, 5], [True, False]), ([5, 4], [False, True])])
def test_each_instance_may_face_its_own_price(prices: list[int], payable: list[bool]) -> None:
    oracle = Oracle(quadratic(2, 2), budget=5)
    oracle.afford(torch.tensor(prices))
    assert oracle.active.tolist() == payable


def test_resting_instances_are_not_evaluated_and_wake_up_again() -> None:
    """Of four: 0 is asked, 1 rests, 2 is asked and breaks, 3 was stopped before."""
    problem = Recorded(Breaking(quadratic(4, 2), row=2, step=0))
    oracle, theta = Oracle(problem), normal(4, 3, 2)
    oracle.stop(torch.tensor([False, False, False, True]))
    with oracle.only(torch.tensor([True, False, True, False])):
        answer = oracle.query(theta)
    assert oracle.active.tolist() == [True, True, False, False]
    assert oracle.loss_queries.tolist() == problem.counts(4).tolist() == [3, 0, 3, 0]
    assert answer.loss.isfinite().all(dim=1).tolist() == [True, False, False, False]
    assert oracle.query(theta).loss[1].isfinite().all()


def test_resting_ends_with_an_error_too() -> None:
    oracle = Oracle(quadratic(2, 2))
    with pytest.raises(ZeroDivisionError), oracle.only(torch.tensor([True, False])):
        raise ZeroDivisionError
    assert oracle.active.tolist() == [True, True]


class Reached(Wrapper):
    """Succeeds at points whose first coordinate is at least 1."""

    def __call__(self, theta: Tensor) -> Evaluation:
        return dataclasses.replace(self.inner(theta), success=theta[..., 0] >= 1)

    def __getitem__(self, rows: Any) -> Reached:
        return self._around(self.inner[rows], self.rows[rows])


@pytest.mark.parametrize("chunk", [None, 2])
def test_an_instance_whose_iterate_succeeds_is_left_alone(chunk: int | None) -> None:
    recorded = Recorded(Reached(quadratic(3, 2)))
    oracle = Oracle(recorded, chunk=chunk, until_success=True)
    points = torch.zeros(3, 4, 2, dtype=torch.float64)
    points[1, 0, 0] = points[2, 1, 0] = 1.0  # an iterate, and a probe, which does not count
    seen = oracle.query(points)
    assert oracle.succeeded.tolist() == [False, True, False]
    assert recorded.counts(3).tolist() == oracle.loss_queries.tolist() == [4, 1, 4]
    assert seen.success[1].tolist() == [True, False, False, False]
    assert seen.loss[1, 0].isfinite() and seen.loss[1, 1:].isnan().all()
    assert seen.loss[[0, 2]].isfinite().all()
    oracle.query(points)
    oracle.check(points[:, 0])
    assert oracle.check_queries.tolist() == [1, 0, 1]
    assert recorded.counts(3).tolist() == [9, 1, 9]


def test_counters_round_trip() -> None:
    used, fresh = (Oracle(Breaking(quadratic(3, 2), row=1, step=0)) for _ in range(2))
    used.query(normal(3, 2, 2))
    used.check(normal(3, 2))
    fresh.set_counters(used.counters())
    pairs = zip(fresh.counters(), used.counters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert fresh.failed.tolist() == [False, True, False]


def test_a_check_finds_a_broken_iterate() -> None:
    oracle = Oracle(Breaking(quadratic(2, 2), row=0, step=0))
    answer = oracle.check(normal(2, 2))
    assert isinstance(answer, Evaluation)
    assert answer.loss.shape == (2, 1)
    assert oracle.failed.tolist() == [True, False]


@pytest.mark.parametrize(
    ("field", "settings"),
    [("budget", {"budget": 0}), ("budget", {"budget": -3}), ("chunk", {"chunk": 0})],
)
def test_impossible_settings_are_refused(field: str, settings: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=f"{field}={settings[field]}"):
        Oracle(quadratic(1, 1), **settings)

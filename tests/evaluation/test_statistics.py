"""Queries to success are counted at the first successful iterate; failures are censored."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from zol2l.evaluation.statistics import (
    first_success,
    queries_to_success,
    trajectory_statistics,
    weighted_loss,
)
from zol2l.trajectory import Trajectory

NAN = math.nan


def trajectory(loss: list[list[float]], success: list[list[int]], cost: int = 4) -> Trajectory:
    values, flags = torch.tensor(loss, dtype=torch.float64), torch.tensor(success).bool()
    queries = (torch.arange(values.shape[1]) * cost + 1).expand(values.shape)
    return Trajectory(queries, values, values, values, flags, flags.long())


EXAMPLE = trajectory(
    loss=[[3, 2, 1], [5, 4, 3], [2, NAN, NAN], [9, 8, 7]],
    success=[[0, 1, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]],
)


def test_the_first_successful_iterate_counts_even_if_a_later_one_fails() -> None:
    assert first_success(EXAMPLE.success).tolist() == [1, 0, -1, 2]


def test_queries_to_success_include_the_evaluation_that_found_it() -> None:
    queries = queries_to_success(EXAMPLE)
    assert queries[[0, 1, 3]].tolist() == [5, 1, 9]
    assert queries[2].isnan(), "a failure is censored, not counted as zero or as the budget"


def test_statistics_leave_out_failures_and_stopped_instances() -> None:
    expected = {
        "meta_loss": pytest.approx(((2 + 2) / 3 + (4 + 6) / 3 + (8 + 14) / 3) / 3),
        "final_loss": pytest.approx((1 + 3 + 7) / 3),
        "success_rate": pytest.approx(3 / 4),
        "queries_to_success": pytest.approx((5 + 1 + 9) / 3),
    }
    statistics = trajectory_statistics(EXAMPLE)
    assert {name: statistics[name].item() for name in expected} == expected


def test_without_successes_queries_are_unknown() -> None:
    never = trajectory([[1, 1]], [[0, 0]])
    statistics = trajectory_statistics(never)
    assert "queries_to_success" not in statistics
    assert statistics["success_rate"].item() == 0


def test_where_nothing_can_succeed_nothing_is_said_of_success() -> None:
    plain = trajectory([[1, 1]], [[0, 0]])
    plain = replace(plain, attack_loss=torch.full_like(plain.loss, torch.nan))
    assert set(trajectory_statistics(plain)) == {"meta_loss", "final_loss"}
    own = trajectory([[1, 1]], [[0, 1]])  # a user's problem may have successes alone
    own = replace(own, attack_loss=torch.full_like(own.loss, torch.nan))
    assert trajectory_statistics(own)["success_rate"] == 1


@pytest.mark.parametrize(
    ("loss", "expected"), [([[1.0, 2.0, 4.0]], 10 / 3), ([[5.0, 2.0]], 2.0), ([[5.0]], 0.0)]
)
def test_losses_are_weighted_by_their_step(loss: list[list[float]], expected: float) -> None:
    values: Tensor = torch.tensor(loss, dtype=torch.float64)
    assert weighted_loss(values).tolist() == pytest.approx([expected])

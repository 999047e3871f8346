"""A trajectory has a row per instance and a column per recorded iterate."""

from __future__ import annotations

import torch

from tests.contracts import same
from tests.problems import normal
from tests.test_types import state
from zol2l.trajectory import Recorder
from zol2l.types import Evaluation

B = 2
NOBODY = torch.zeros(B, dtype=torch.bool)


def recorded(columns: int) -> Recorder:
    recorder = Recorder(keep=[1, 2], rows=[1])
    for i in range(columns):
        loss = normal(B, 1, seed=i)
        evaluation = Evaluation(loss, success=loss > 0, prediction=torch.full((B, 1), i))
        recorder.add(state(B, 100 * i), evaluation, torch.tensor([10 * i, 20 * i]), NOBODY)
    return recorder


def test_columns_are_iterates_and_queries_include_their_evaluation() -> None:
    trajectory = recorded(4).trajectory()
    assert trajectory.loss.shape == (B, 4)
    assert trajectory.loss.is_contiguous()
    expected = torch.cat([normal(B, 1, seed=i) for i in range(4)], dim=1)
    assert torch.equal(trajectory.loss, expected)
    assert torch.equal(trajectory.success, expected > 0)
    assert trajectory.queries.tolist() == [[1, 11, 21, 31], [1, 21, 41, 61]]
    assert trajectory.prediction.tolist() == [[0, 1, 2, 3]] * B
    assert trajectory.distortion.isnan().all()


def test_only_the_chosen_iterates_of_the_chosen_rows_are_kept() -> None:
    kept = recorded(4).iterates
    assert same(tuple(kept), tuple(state(B, 100 * i).theta[[1]] for i in (1, 2)))


def test_a_trajectory_is_a_snapshot() -> None:
    recorder = recorded(2)
    first = recorder.trajectory()
    recorder.add(state(B, 0), Evaluation(normal(B, 1)), torch.zeros(B, dtype=torch.int64), NOBODY)
    assert first.loss.shape == (B, 2)
    assert same(recorder.trajectory().map(lambda x: x[:, :2]), first)

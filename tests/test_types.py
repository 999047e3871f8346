"""Rows: nested tensors with a leading batch axis, mapped, cut, joined and chosen together."""

from __future__ import annotations

import torch

from tests.contracts import same
from tests.problems import normal
from zol2l.errors import InvalidInput
from zol2l.networks.recurrent import LSTMState
from zol2l.optimizer import State
from zol2l.sampling import LastStep
from zol2l.types import Evaluation, map_tensors


def state(instances: int, seed: int) -> State:
    a, b, c = (normal(instances, 3, seed=seed + i) for i in range(3))
    h = normal(instances, 3, 2, seed=seed)
    return State(a, LastStep(b, c), None, None, (LSTMState(h, 2 * h), a[:, 0]))


def tensors(tree: object) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    map_tensors(lambda x: found.append(x) or x, tree)
    return found


def test_joining_and_choosing_rows_are_inverse() -> None:
    first, second = state(2, 0), state(3, 10)
    joined = State.cat([first, second])
    assert len(tensors(joined)) == 6
    assert same(joined[:2], first)
    assert same(joined[2:], second)
    assert joined.sampling is None


def test_where_picks_whole_instances_in_every_tensor() -> None:
    mine, theirs = state(3, 0), state(3, 10)
    picked = mine.where(torch.tensor([True, False, True]), theirs)
    for got, kept, other in zip(*(map(tensors, (picked, mine, theirs))), strict=True):
        assert torch.equal(got[[0, 2]], kept[[0, 2]])
        assert torch.equal(got[1], other[1])


def test_detach_cuts_every_tensor() -> None:
    leaf = torch.ones((), dtype=torch.float64, requires_grad=True)
    attached = state(2, 0).map(lambda x: x * leaf)
    assert all(x.requires_grad for x in tensors(attached))
    assert not any(x.requires_grad for x in tensors(attached.detach()))


def test_points_of_an_evaluation_keep_missing_fields_missing() -> None:
    loss = normal(2, 4)
    part = Evaluation(loss, success=loss > 0).points(slice(1, 3))
    assert torch.equal(part.loss, loss[:, 1:3])
    assert torch.equal(part.success, loss[:, 1:3] > 0)
    assert part.distortion is None


def test_invalid_input_names_the_field_the_value_and_what_is_allowed() -> None:
    error = InvalidInput("update.rate", -1, "a positive constant")
    assert isinstance(error, ValueError)
    assert str(error) == "update.rate=-1: a positive constant"
    assert (error.field, error.value, error.allowed) == ("update.rate", -1, "a positive constant")

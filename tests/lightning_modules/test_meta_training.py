"""Meta-training: what is learned, what is frozen, the clamp, and the windows of the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from lightning_modules.truncation import TruncationSchedule
from tests.lightning_modules.toys import FAMILY, SCHEDULE, module, train, weights
from zol2l.errors import InvalidInput
from zol2l.estimators import ForwardDifference
from zol2l.optimizees import Quadratic, QuadraticFamily
from zol2l.optimizer import iterate


@pytest.mark.parametrize("stage", ["update", "sampling"])
def test_a_stage_trains_its_part_and_freezes_the_other(stage: str) -> None:
    job = module(stage)
    parts = {"update": job.optimizer.update, "sampling": job.optimizer.sampling}
    frozen = parts["sampling" if stage == "update" else "update"]
    learned = parts[stage]
    before = weights(learned).clone(), frozen.state_dict()
    kept = {name: weight.clone() for name, weight in before[1].items()}
    train(job)
    assert not torch.equal(weights(learned), before[0])
    assert all(torch.equal(frozen.state_dict()[name], weight) for name, weight in kept.items())


def test_training_lowers_the_validation_loss() -> None:
    job = module(meta_steps=150, rate=1e-2, schedule=TruncationSchedule(20, 5))
    before = float(job.validate()["meta_loss"])
    train(job)
    assert float(job.validate()["meta_loss"]) < 0.7 * before


def test_each_coordinate_of_the_meta_gradient_is_clamped(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    adam = torch.optim.Adam.step

    def spy(self: torch.optim.Adam, *args: object, **kwargs: object) -> object:
        result = adam(self, *args, **kwargs)
        seen.extend(p.grad.clone() for group in self.param_groups for p in group["params"])
        return result

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    train(module(clamp=1e-4, meta_steps=3))
    largest = torch.stack([g.abs().max() for g in seen]).max()
    assert largest == pytest.approx(1e-4)


def test_staggered_unrolls_fill_up_and_every_instance_takes_the_whole_horizon() -> None:
    job = train(module(meta_steps=7))
    assert (job.batches_done, job.meta_step) == (7, 7)
    assert [int(u.step[0]) for u in job.under_way] == [4, 2]
    assert all(len(u.rows) == 2 for u in job.under_way)


def test_lockstep_takes_a_batch_through_all_windows_before_the_next() -> None:
    schedule = TruncationSchedule(horizon=6, window=2, staggered=False)
    job = train(module(schedule=schedule, meta_steps=6))
    assert (job.batches_done, job.under_way) == (2, [])


def test_one_window_of_one_instance_takes_the_same_states_in_both_schedules() -> None:
    lockstep = TruncationSchedule(horizon=2, window=2, staggered=False)
    staggered = TruncationSchedule(horizon=2, window=2, staggered=True)
    one, other = (train(module(schedule=s, meta_steps=4)) for s in (lockstep, staggered))
    assert torch.equal(weights(one.learned), weights(other.learned))


def test_the_objective_is_equation_4_scaled_to_mean_weight_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    penalties: list[torch.Tensor] = []

    def watched(*arguments: Any) -> Iterator[Any]:
        for after, seen in iterate(*arguments):
            penalties.append(seen.directions.penalty)
            yield after, seen

    job = module("sampling", regularization=1e5)
    job.generator = torch.Generator().manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr("lightning_modules.meta_training.iterate", watched)
        _, objective, losses = job.unroll_window(job._start(torch.tensor([0, 3])))
    job.generator = torch.Generator().manual_seed(0)
    job.regularization = 0.0
    _, plain, _ = job.unroll_window(job._start(torch.tensor([0, 3])))
    steps = torch.arange(1, SCHEDULE.window + 1)[:, None]
    assert plain.item() == pytest.approx(2 / 7 * (steps * losses).sum().item() / 2, rel=1e-5)
    penalty = 1e5 * 2 / 7 * torch.stack(penalties).sum().item() / 2
    assert len(penalties) == SCHEDULE.window and penalty > 0.1
    assert (objective - plain).item() == pytest.approx(penalty, rel=1e-4)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_weights_have_mean_one_over_the_horizon(exponent: float) -> None:
    schedule = TruncationSchedule(6, 2, exponent=exponent)
    weights = schedule.scale * schedule.weights(torch.arange(1.0, 7.0))
    assert weights.mean().item() == pytest.approx(1)
    assert (weights[5] / weights[0]).item() == pytest.approx(6**exponent)


def test_a_nan_instance_does_not_spoil_the_meta_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    curvature, optimum = torch.ones(2, 4), torch.ones(2, 4)
    curvature[1] = torch.nan
    monkeypatch.setattr(FAMILY, "optimizee", lambda split, rows: Quadratic(curvature, optimum))
    job = module()
    job.generator = torch.Generator().manual_seed(0)
    _, objective, losses = job.unroll_window(job._start(torch.tensor([0, 1])))
    objective.backward()
    gradients = torch.cat([p.grad.flatten() for p in job.learned.parameters()])
    assert losses[:, 0].isfinite().all()
    assert gradients.isfinite().all()
    assert gradients.abs().max() > 0


def test_weights_under_which_an_instance_breaks_are_not_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    curvature, optimum = torch.ones(9, 4), torch.ones(9, 4)
    curvature[1:] = torch.nan
    monkeypatch.setattr(FAMILY, "optimizee", lambda split, rows: Quadratic(curvature, optimum))
    job = module()
    assert job.validate()["meta_loss"] == float("inf")
    assert job.validate()["final_loss"] < float("inf"), "of those that are left"


@pytest.mark.parametrize(
    ("horizon", "window", "field"), [(7, 2, "horizon"), (4, 0, "window"), (1, 2, "horizon")]
)
def test_impossible_schedules_are_refused(horizon: int, window: int, field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        TruncationSchedule(horizon, window)


@pytest.mark.parametrize(
    "change", [{"meta_steps": 0}, {"rate": 0.0}, {"clamp": -1.0}, {"stage": "both"}]
)
def test_bad_settings_are_refused_by_name(change: dict) -> None:
    (name,) = change
    with pytest.raises(InvalidInput, match=name):
        module(**change)


def test_validation_runs_each_instance_as_often_as_asked(monkeypatch) -> None:
    """The rows of three trials are 0 0 0 1 1 1 ...; each trial has directions of its own."""
    job = module(validation_trials=3)
    asked = []
    optimizee = job.family.optimizee
    monkeypatch.setattr(
        job.family, "optimizee", lambda split, rows: (asked.append(rows), optimizee(split, rows))[1]
    )
    job.validate()
    count = job.family.sizes["validation"]
    assert asked[0].tolist() == [row for row in range(count) for _ in range(3)]


def test_slopes_of_the_derivative_train_as_differences_do(monkeypatch) -> None:
    """At mu -> 0 both are the same estimate: the same meta-gradient, without the Q + 1 queries."""
    calls = {}
    forward = Quadratic.__call__
    weight = {}
    for slopes in ("derivative", "queries"):
        job = module(slopes=slopes, estimator=ForwardDifference(1e-7), validate_every=6)
        job.family = QuadraticFamily(6, 3, 3, dimension=4, dtype="float64")
        job.double()
        points: list[int] = []

        def counted(self, theta, points=points):
            points.append(theta.shape[1] if torch.is_grad_enabled() or theta.shape[1] > 1 else 0)
            return forward(self, theta)

        monkeypatch.setattr(Quadratic, "__call__", counted)
        monkeypatch.setattr(job, "validate", lambda: {"meta_loss": 0.0})
        job.generator = torch.Generator().manual_seed(0)
        unroll = job._start(torch.arange(3))
        _, objective, _ = job.unroll_window(unroll)
        objective.backward()
        weight[slopes] = [p.grad.clone() for p in job.learned.parameters()]
        calls[slopes] = sum(points)
    for one, other in zip(*weight.values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)
    window, directions = SCHEDULE.window, 3
    assert calls["derivative"] == window + 1
    assert calls["queries"] == window * (1 + directions + 1)

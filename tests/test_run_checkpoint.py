"""A run that is killed and resumed gives what an uninterrupted one gives, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.contracts import Method, classification, same
from tests.methods import METHODS, NAMED
from tests.problems import Breaking, Recorded, quadratic, seeded
from tests.test_oracle import attack
from zol2l.oracle import Oracle
from zol2l.run import RunCheckpoint, run
from zol2l.storage.tensor_files import save_tensors
from zol2l.trajectory import Recorder, Trajectory
from zol2l.types import Optimizee

STEPS = 7
PROBLEMS = {
    "quadratic": lambda: quadratic(3, 5),
    "stochastic": classification,
    "broken instance": lambda: Breaking(quadratic(3, 5), row=1, step=3),
    "attack": lambda: attack(3),
}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


class Run:
    """One run of a method on a problem, recorded in full."""

    def __init__(self, method: Method, problem: Optimizee, budget: int | None = None) -> None:
        self.optimizer = method.optimizer()
        self.oracle = Oracle(problem, budget, chunk=4)
        self.recorder = Recorder(range(STEPS + 1), range(problem.instances))
        self.generator = seeded()

    def __call__(self, path: Path | None = None, kill_at: int | None = None) -> Trajectory:
        def progress(step: int) -> None:
            if step == kill_at:
                raise KilledError

        return run(
            self.optimizer,
            self.oracle,
            STEPS,
            self.generator,
            recorder=self.recorder,
            checkpoint=None if path is None else RunCheckpoint(path, every_seconds=0),
            progress=progress,
        )


def assert_same(mine: Run, theirs: Run) -> None:
    assert same(mine.oracle.counters(), theirs.oracle.counters())
    assert same(tuple(mine.recorder.iterates), tuple(theirs.recorder.iterates))
    assert torch.equal(mine.generator.get_state(), theirs.generator.get_state())


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_killed_twice_and_resumed_is_never_killed(
    method: Method, name: str, tmp_path: Path
) -> None:
    problem, path = PROBLEMS[name], tmp_path / "run.safetensors"
    whole = Run(method, problem())
    expected = whole()
    for kill_at in (3, 6):
        with pytest.raises(KilledError):
            Run(method, resumable(problem(), kill_at))(path, kill_at)
        assert path.exists()
    last = Run(method, resumable(problem(), 6))
    assert same(last(path), expected)
    assert_same(last, whole)


def resumable(problem: Optimizee, step: int) -> Optimizee:
    """A broken function is as broken in the new process, whatever its clock."""
    if isinstance(problem, Breaking) and step > problem.step:
        problem.clock[0] = problem.step
    return problem


@pytest.mark.parametrize("name", ["zo_lstm", "zo_szvr_g"])
@pytest.mark.parametrize("kill_at", range(1, STEPS + 1))
def test_a_kill_at_any_step_loses_only_that_step(kill_at: int, name: str, tmp_path: Path) -> None:
    """Progress is called before the step is saved: one step of queries is spent again. ZO-SZVR-G
    is killed in the middle of epochs and at their ends.
    """
    method, path = NAMED[name], tmp_path / "run.safetensors"
    whole = Run(method, quadratic(3, 5))
    expected = whole()
    with pytest.raises(KilledError):
        Run(method, quadratic(3, 5))(path, kill_at)
    problem = Recorded(quadratic(3, 5))
    resumed = Run(method, problem)
    assert same(resumed(path), expected)
    assert_same(resumed, whole)
    remaining = method.spent(STEPS) - method.spent(kill_at - 1) + 1
    assert problem.counts(3).tolist() == [remaining] * 3


def test_a_kill_between_the_last_step_and_the_check_is_resumed(tmp_path: Path) -> None:
    method, path = METHODS[0], tmp_path / "run.safetensors"
    expected = Run(method, quadratic(3, 5))(path)
    resumed = Run(method, problem := Recorded(quadratic(3, 5)))
    assert same(resumed(path), expected)
    assert problem.counts(3).tolist() == [1, 1, 1]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def of_another_version(path: Path) -> None:
    save_tensors(path, {"state/00000": torch.zeros(1)})


@pytest.mark.parametrize("harm", [cut, of_another_version])
def test_a_run_begins_anew_where_its_checkpoint_is_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    method, path = METHODS[0], tmp_path / "run.safetensors"
    whole = Run(method, quadratic(3, 5))
    expected = whole()
    with pytest.raises(KilledError):
        Run(method, quadratic(3, 5))(path, kill_at=5)
    harm(path)
    anew = Run(method, quadratic(3, 5))
    assert same(anew(path), expected)
    assert_same(anew, whole)
    assert str(path) in caplog.text
    assert path.with_name("run.safetensors.damaged").exists()


@pytest.mark.parametrize("name", ["zo_sgd", "zo_szvr_g"])
def test_a_budget_holds_across_a_kill(name: str, tmp_path: Path) -> None:
    method, path = NAMED[name], tmp_path / "run.safetensors"
    budget = method.spent(4) + 3
    whole = Run(method, quadratic(3, 5), budget)
    expected = whole()
    with pytest.raises(KilledError):
        Run(method, quadratic(3, 5), budget)(path, kill_at=3)
    resumed = Run(method, quadratic(3, 5), budget)
    assert same(resumed(path), expected)
    assert_same(resumed, whole)


def test_it_saves_only_when_due_and_removes_itself(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.safetensors"
    patient, eager = RunCheckpoint(path, every_seconds=1e6), RunCheckpoint(path, every_seconds=0)
    for checkpoint in (patient, eager):
        method = METHODS[0]
        run(method.optimizer(), Oracle(quadratic(1, 2)), 2, seeded(), checkpoint=checkpoint)
        assert path.exists() == (checkpoint is eager)
    eager.remove()
    assert not path.exists()
    eager.remove()

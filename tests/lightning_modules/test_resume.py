"""A meta-training job killed at any meta-step and resumed gives the same weights, bit for bit."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
import torch

from lightning_modules.fit import fit_optimizer
from lightning_modules.instances import InstanceData, InstanceStream
from lightning_modules.meta_training import MetaTraining
from lightning_modules.truncation import TruncationSchedule
from tests.lightning_modules.toys import FAMILY, fit_arguments, module, weights
from zol2l.errors import Diverged
from zol2l.estimators import VarianceReduced


class Killed(BaseException):
    pass


def fit(job: MetaTraining, folder: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    data = InstanceData(FAMILY.sizes["train"], 2)
    fit_optimizer(job, data, keep=found.update, **fit_arguments(folder))
    return found


def killed_in_validation(job: MetaTraining, folder: Path, number: int) -> None:
    """Kill the job while its validation `number` is under way."""
    original, count = job.validate, 0

    def counted() -> dict[str, float]:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return original()

    job.validate = counted  # type: ignore[method-assign]
    with pytest.raises(Killed):
        fit(job, folder)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_inside_a_validation_and_resumed_equals_uninterrupted(
    number: int, tmp_path: Path
) -> None:
    whole = module(validate_every=2)
    figures = fit(whole, tmp_path / "whole")
    killed_in_validation(module(validate_every=2), tmp_path / "killed", number)
    resumed = module(validate_every=2)
    again = fit(resumed, tmp_path / "killed")
    assert again == pytest.approx(figures, rel=0, abs=0, nan_ok=True)
    assert torch.equal(weights(resumed.learned), weights(whole.learned))


def test_the_best_validated_weights_are_kept(tmp_path: Path) -> None:
    job = module(validate_every=1)
    scores, seen = iter([3.0, 1.0, 2.0, 4.0, 1.5, 5.0]), []

    def scored() -> dict[str, float]:
        seen.append(weights(job.learned).clone())
        return {"meta_loss": next(scores)}

    job.validate = scored  # type: ignore[method-assign]
    assert fit(job, tmp_path) == {"meta_step": 2.0, "meta_loss": 1.0}
    assert torch.equal(weights(job.learned), seen[1])


def test_weights_that_break_each_validation_are_not_kept(tmp_path: Path) -> None:
    """The next try has no checkpoint to go on from."""
    job = module(validate_every=3, rate=0.25)
    job.validate = lambda: {"meta_loss": torch.inf}  # type: ignore[method-assign]
    with pytest.raises(Diverged, match=r"meta_training\.rate\.update=0\.25: no weights leave all"):
        fit(job, tmp_path)
    assert not (tmp_path / "last.ckpt").exists()


def test_each_validation_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        fit(module(validate_every=2), tmp_path)
    lines = [r.getMessage() for r in caplog.records if "of 6: loss" in r.getMessage()]
    assert [line.split(",")[1].split()[1] for line in lines] == ["2", "4", "6"]


def fit_until_killed(job: MetaTraining, folder: Path, meta_step: int) -> None:
    original, count = job._meta_step, 0

    def counted() -> None:
        nonlocal count
        if count == meta_step:
            raise Killed
        count += 1
        original()

    job._meta_step = counted  # type: ignore[method-assign]
    with pytest.raises(Killed):
        fit(job, folder)


@pytest.mark.parametrize("staggered", [True, False])
@pytest.mark.parametrize("stage", ["update", "sampling"])
@pytest.mark.parametrize("meta_step", [1, 3, 5])
def test_killed_and_resumed_equals_uninterrupted(
    stage: str, staggered: bool, meta_step: int, tmp_path: Path
) -> None:
    schedule = TruncationSchedule(6, 2, staggered)
    whole = module(stage, schedule=schedule)
    figures = fit(whole, tmp_path / "whole")
    fit_until_killed(module(stage, schedule=schedule), tmp_path / "killed", meta_step)
    resumed = module(stage, schedule=schedule)
    again = fit(resumed, tmp_path / "killed")
    assert again == pytest.approx(figures, rel=0, abs=0, nan_ok=True)
    assert torch.equal(weights(resumed.learned), weights(whole.learned))


@pytest.mark.parametrize("meta_step", [2, 4])
def test_an_estimators_memory_is_resumed_too(meta_step: int, tmp_path: Path) -> None:
    """Epochs of 3 in windows of 2: the kill is within epochs, and the unrolls that a meta-step
    joins are at different steps of theirs.
    """

    def job() -> MetaTraining:
        return module("update", VarianceReduced(epoch=3, snapshot_directions=5))

    whole, resumed = job(), job()
    figures = fit(whole, tmp_path / "whole")
    fit_until_killed(job(), tmp_path / "killed", meta_step)
    assert fit(resumed, tmp_path / "killed") == pytest.approx(figures, rel=0, abs=0, nan_ok=True)
    assert torch.equal(weights(resumed.learned), weights(whole.learned))
    plain = module("update")
    fit(plain, tmp_path / "plain")
    assert not torch.equal(weights(plain.learned), weights(whole.learned))


def test_the_stream_visits_every_instance_once_a_pass_and_can_start_anywhere() -> None:
    stream = iter(InstanceStream(6, 2, seed=3))
    batches = [next(stream) for _ in range(6)]
    passes = [sorted(chain(*batches[:3])), sorted(chain(*batches[3:]))]
    assert passes == [list(range(6))] * 2
    late = iter(InstanceStream(6, 2, seed=3, start=4))
    assert [next(late), next(late)] == batches[4:]


def test_devices_split_the_stream_without_overlap() -> None:
    whole = iter(InstanceStream(6, 1, seed=0))
    ranks = [iter(InstanceStream(6, 1, seed=0, rank=r, replicas=2)) for r in (0, 1)]
    joined = [next(ranks[i % 2]) for i in range(6)]
    assert joined == [next(whole) for _ in range(6)]

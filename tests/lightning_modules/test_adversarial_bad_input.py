"""Adversarial training that is given what it cannot train with, or diverges."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.lightning_modules.robust_toys import (
    fit,
    robust,
)
from zol2l.errors import Diverged, InvalidInput
from zol2l.maximizers.base import NoMaximizer


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"decay_at": [1.0]}, "decay_at"),
        ({"decay_by": 0.0}, "decay_by"),
        ({"warmup": 2.0}, "warmup"),
        ({"clip": 0.0}, "clip"),
        ({"ema": 1.0}, "ema"),
        ({"held_out": -1}, "held_out"),
        ({"held_out": 20}, "held_out"),
        ({"accumulate": 0}, "accumulate"),
    ],
)
def test_bad_recipes_are_named(recipe: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}="):
        robust(**recipe)


@pytest.mark.parametrize(("accumulate", "size"), [(1, 16), (2, 8), (5, 3)])
def test_a_batch_larger_than_the_data_is_made_smaller_and_it_is_said(
    tmp_path: Path, accumulate: int, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Of 20 images 4 are held out."""
    job = robust(batch_size=17, accumulate=accumulate)
    told = f"batch_size=17: there are images for {size}; batches are of {size}"
    assert [record.getMessage() for record in caplog.records] == [told]
    fit(job, tmp_path)
    assert job.updates == job.total_updates == job.epochs


def test_fewer_images_than_batches_an_update_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"batch_size \* accumulate=34: at most"):
        fit(robust(batch_size=2, accumulate=17), tmp_path)


def test_a_loss_that_is_not_finite_ends_training(tmp_path: Path) -> None:
    job = robust(NoMaximizer())
    torch.nn.init.constant_(job.classifier[0].weight, float("nan"))
    with pytest.raises(Diverged, match=r"the loss=nan: .* lower recipe\.optimizer\.lr"):
        fit(job, tmp_path)


@pytest.mark.parametrize("player", ["classifier", "maximizer"])
def test_weights_that_are_not_finite_in_the_end_are_not_kept(tmp_path: Path, player: str) -> None:
    job = robust(epochs=1)
    move = job.move

    def moved() -> None:
        move()
        if job.updates == 3:  # of four, the last
            next(getattr(job, player).parameters()).data.fill_(torch.inf)

    job.move = moved  # type: ignore[method-assign]
    with pytest.raises(Diverged, match=f"{player}.*=not finite"):
        fit(job, tmp_path)
    assert not list(tmp_path.glob("*.ckpt"))

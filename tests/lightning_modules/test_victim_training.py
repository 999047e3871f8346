"""Victims' training: reproducible with and without augmentation, any number of classes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules import fit
from lightning_modules.fit import fit_victim
from lightning_modules.victim_training import VictimTraining
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.tracking import Job
from zol2l.victims.datasets import ImageData
from zol2l.victims.networks import small_convnet

CLASSES = 12
IMAGES = torch.rand(48, 1, 8, 8, generator=seeded(0))
LABELS = torch.arange(48) % CLASSES
DATA = ImageData(IMAGES, LABELS, IMAGES[:12], LABELS[:12])
LOGGING = {"tensorboard": False, "wandb": False, "project": "test"}
TRAINER = {"accelerator": "cpu", "devices": 1, "enable_model_summary": False}


def trained(folder: Path, data: ImageData = DATA, **settings: Any) -> Tensor:
    """All weights after two epochs, as one vector."""
    network = small_convnet(width=2, hidden=4, classes=CLASSES)
    settings = {"rate": 0.1, "batch_size": 16, "epochs": 2, "seed": 0, **settings}
    checkpoint = folder / "victim.ckpt"
    found: dict[str, float] = {}
    job = Job(LOGGING, folder, "test", "train-victim", settings)
    fit_victim(network, data, settings, TRAINER, job, checkpoint, keep=found.update)
    assert not checkpoint.exists()
    assert 0 <= found["test_accuracy"] <= 1
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


@pytest.mark.parametrize("augment", [True, False])
def test_training_follows_its_seed_alone(tmp_path: Path, augment: bool) -> None:
    first = trained(tmp_path, augment=augment)
    torch.manual_seed(77)
    assert torch.equal(trained(tmp_path, augment=augment), first)
    assert not torch.equal(trained(tmp_path, augment=augment, seed=1), first)


def test_the_first_training_images_alone(tmp_path: Path) -> None:
    few = ImageData(IMAGES[:32], LABELS[:32], IMAGES[:12], LABELS[:12])
    assert torch.equal(trained(tmp_path, images=32), trained(tmp_path, data=few))
    assert torch.equal(trained(tmp_path, images=49), trained(tmp_path))
    with pytest.raises(InvalidInput, match=r"images=0: at least 1, or null"):
        trained(tmp_path, images=0)


class Killed(VictimTraining):
    """Dies in the middle of its third epoch, as by SIGKILL."""

    def training_step(self, rows: Tensor, index: int) -> None:
        if self.updates == 7:
            raise KilledError
        super().training_step(rows, index)


class KilledError(Exception):
    """Nothing after it runs."""


def test_killed_within_an_epoch_and_resumed_equals_uninterrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout, augmentation and a new order each epoch: every random stream goes on. None of
    the seven updates is made again.
    """
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", 0)
    expected = trained(tmp_path / "whole", augment=True, epochs=4)
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(fit, "VictimTraining", Killed)
        trained(tmp_path / "killed", augment=True, epochs=4)
    saved = torch.load(tmp_path / "killed/victim.ckpt", weights_only=True)
    assert saved["done"] == (7, 7)
    torch.manual_seed(77)
    assert torch.equal(trained(tmp_path / "killed", augment=True, epochs=4), expected)


def test_accuracy_is_measured_after_every_epoch(tmp_path: Path) -> None:
    trained(tmp_path, epochs=3)
    with (tmp_path / "csv/version_0/metrics.csv").open() as file:
        measured = [row["victim/test_accuracy"] for row in csv.DictReader(file)]
    assert len([figure for figure in measured if figure]) == 3


@pytest.mark.parametrize(
    ("content", "told"), [(b"x" * 4000, "damaged"), (b"", "damaged"), (None, "version")]
)
def test_a_checkpoint_that_cannot_be_gone_on_from_is_named(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "victim.ckpt"
    torch.save({"state_dict": {}}, path)  # Lightning's part alone
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        trained(tmp_path)
    path.unlink()
    trained(tmp_path)


def test_augmentation_is_an_option(tmp_path: Path) -> None:
    plain = trained(tmp_path)
    assert torch.equal(trained(tmp_path, augment=False), plain)
    assert not torch.equal(trained(tmp_path, augment=True), plain)


def test_data_without_training_images_is_refused(tmp_path: Path) -> None:
    data = ImageData(IMAGES[:0], LABELS[:0], IMAGES, LABELS)
    with pytest.raises(InvalidInput, match=r"train"):
        trained(tmp_path, data)

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
from zol2l.data.datasets import ImageData
from zol2l.errors import Diverged, InvalidInput
from zol2l.networks.convolutional import small_convnet
from zol2l.reporting.tracking import Job

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


class KilledError(BaseException):
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
    ("content", "told"), [(b"x" * 4000, "cannot be read"), (b"", "cannot be read"), (None, "vers")]
)
def test_training_begins_anew_where_its_checkpoint_cannot_be_gone_on_from(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None, told: str
) -> None:
    path, expected = tmp_path / "victim.ckpt", trained(tmp_path)
    torch.save({"state_dict": {}}, path)  # Lightning's part alone
    if content is not None:
        path.write_bytes(content)
    assert torch.equal(trained(tmp_path), expected)
    (warned,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert str(path) in warned and told in warned
    assert path.with_name("victim.ckpt.damaged").exists()


@pytest.mark.parametrize("every_seconds", [0, 1e6])
@pytest.mark.parametrize(("rate", "epochs"), [(1e30, 3), (1e38, 1)])
def test_training_that_diverges_says_so_and_keeps_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    every_seconds: float,
    rate: float,
    epochs: int,
) -> None:
    """In the loss of a batch, or in weights after the last: accuracy would be that of no training,
    and a checkpoint could not be gone on from.
    """
    monkeypatch.setattr(fit, "CHECKPOINT_SECONDS", every_seconds)
    lower = r"training diverged after \d+ updates; lower optimizee\.victim\.training\.rate"
    with pytest.raises(Diverged, match=lower):
        trained(tmp_path, rate=rate, epochs=epochs)
    assert not list(tmp_path.glob("*.ckpt*"))
    trained(tmp_path)


def test_augmentation_is_an_option(tmp_path: Path) -> None:
    plain = trained(tmp_path)
    assert torch.equal(trained(tmp_path, augment=False), plain)
    assert not torch.equal(trained(tmp_path, augment=True), plain)


def test_data_without_training_images_is_refused(tmp_path: Path) -> None:
    data = ImageData(IMAGES[:0], LABELS[:0], IMAGES, LABELS)
    with pytest.raises(InvalidInput, match=r"train"):
        trained(tmp_path, data)


@pytest.mark.parametrize("images", [1, 5, 48])
def test_of_fewer_images_than_a_batch_all_are_one_and_it_is_said(
    tmp_path: Path, images: int, caplog: pytest.LogCaptureFixture
) -> None:
    few = ImageData(IMAGES[:images], LABELS[:images], IMAGES[:12], LABELS[:12])
    found = trained(tmp_path, few, batch_size=128, epochs=1)
    told = f"batch_size=128: there are images for {images}; batches are of {images}"
    (warning,) = [each.getMessage() for each in caplog.records if "batch_size" in each.getMessage()]
    assert warning == told
    assert torch.equal(trained(tmp_path, few, batch_size=images, epochs=1), found)
    with pytest.raises(InvalidInput, match=r"^batch_size=0: at least 1"):
        trained(tmp_path, few, batch_size=0)

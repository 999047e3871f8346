"""Run a training job to its end, from wherever an earlier run of it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from logging import WARNING, getLogger
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn

from lightning_modules.adversarial_training import VALIDATION, AdversarialTraining
from lightning_modules.counted_training import CountedTraining
from lightning_modules.instances import InstanceData
from lightning_modules.keep import KeepResult, Kept
from lightning_modules.loggers import loggers
from lightning_modules.meta_training import MetaTraining
from lightning_modules.progress import StepProgress
from lightning_modules.timed_checkpoint import TimedCheckpoint
from lightning_modules.victim_training import VictimTraining
from lightning_modules.whole_files import WholeFiles
from zol2l.data.datasets import ImageData
from zol2l.errors import Diverged, InvalidInput
from zol2l.networks.training import Training
from zol2l.reporting.tracking import Job
from zol2l.storage.bad_files import BadFile, intact, reading

CHECKPOINT = "last.ckpt"
CHECKPOINT_SECONDS = 20
"""Between two checkpoints of a victim: what a kill costs at most."""
Trained = MetaTraining | CountedTraining

for name in ("pytorch_lightning", "lightning_fabric"):
    getLogger(name).setLevel(WARNING)  # which they set to INFO when imported


def make_trainer(settings: Mapping[str, Any], log_every: int, **more: Any) -> pl.Trainer:
    """A Trainer from its configuration and what the job adds to it; `log_every` so many steps,
    unless the configuration says how many.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    given = {"log_every_n_steps": log_every, **chosen}
    try:
        return pl.Trainer(**given, enable_progress_bar=False, plugins=[WholeFiles()], **more)
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise InvalidInput("trainer", dict(settings), f"Lightning refuses it: {error}") from error


def fit_victim(
    network: nn.Module,
    data: ImageData,
    settings: Mapping[str, Any],
    trainer: Mapping[str, Any],
    job: Job,
    checkpoint: Path,
    keep: Kept,
) -> None:
    """Train `network` and `keep` it, told its test_accuracy.

    `checkpoint`, a file for this configuration alone, is written after an update when the last is
    older than CHECKPOINT_SECONDS; a killed job goes on there, exactly. It is deleted at the end.
    """
    training = Training(**settings)
    if training.images is not None:
        wanted = min(training.images, len(data.train_images))
        data = data.mixed().first(wanted, "images")
    pl.seed_everything(training.seed, verbose=False)
    network.apply(_reset)
    module = VictimTraining(network, data, training)
    _fit_counted(
        module,
        ("Training the victim", ("victim/train_loss", "victim/test_accuracy")),
        trainer=trainer,
        log_every=50,
        job=job,
        checkpoint=TimedCheckpoint(checkpoint, CHECKPOINT_SECONDS),
        keep=keep,
    )


def fit_optimizer(
    module: MetaTraining,
    data: InstanceData,
    *,
    trainer: Mapping[str, Any],
    job: Job,
    keep: Kept,
) -> None:
    """Meta-train to the end and `keep` the module's learned part, which holds the best validated
    weights then, told their validation figures and meta-step.

    A checkpoint is written after every meta-step; a killed job goes on there, exactly.
    """
    titles = {"update": "Meta-training UpdateRNN", "sampling": "Meta-training QueryRNN"}
    metrics = ("meta/loss", "val/final_loss", "val/queries_to_success", "val/meta_loss")
    shown = StepProgress(titles[module.stage], module.meta_steps, metrics)
    checkpoint = job.folder / CHECKPOINT
    kept = KeepResult(lambda _: keep(module.take_best()))
    with loggers(job) as found:
        runner = make_trainer(
            trainer,
            log_every=1,
            max_steps=module.meta_steps,
            max_epochs=-1,
            logger=found,
            callbacks=[shown, _each_step(checkpoint), kept],
        )
        _fit(runner, module, data, checkpoint)


def fit_robust(
    module: AdversarialTraining,
    *,
    trainer: Mapping[str, Any],
    job: Job,
    checkpoint_seconds: float = 0.0,
    keep: Kept,
) -> None:
    """Train a robust classifier to the end and `keep` it, told its accuracies on the held-out
    images.

    A checkpoint is written after an update when the last is older than `checkpoint_seconds`; a
    killed job goes on there, exactly. It is deleted at the end.
    """
    _fit_counted(
        module,
        ("Adversarial training", ("adv/loss", *(f"val/{name}" for name in VALIDATION))),
        trainer=trainer,
        log_every=10,
        job=job,
        checkpoint=TimedCheckpoint(job.folder / CHECKPOINT, checkpoint_seconds),
        keep=keep,
    )


def _fit_counted(
    module: CountedTraining,
    shown: tuple[str, tuple[str, ...]],
    *,
    trainer: Mapping[str, Any],
    log_every: int,
    job: Job,
    checkpoint: TimedCheckpoint,
    keep: Kept,
) -> None:
    """Train to the last update, with a bar of this title and these metrics; `keep` the result, told
    what was last measured.
    """
    bar = StepProgress(shown[0], module.total_updates, shown[1])
    data = InstanceData(module.available, module.batch_size, module.seed)
    kept = KeepResult(lambda _: keep(module.validation))
    with loggers(job) as known:
        runner = make_trainer(
            trainer, log_every, max_epochs=-1, logger=known,
            callbacks=[bar, checkpoint, kept], enable_checkpointing=False,
        )  # fmt: skip
        _fit(runner, module, data, checkpoint.path)
    checkpoint.path.unlink(missing_ok=True)


def _each_step(path: Path) -> ModelCheckpoint:
    """Keep the latest state, alone, in the file `path`."""
    return ModelCheckpoint(
        str(path.parent),
        filename=path.stem,
        every_n_train_steps=1,
        enable_version_counter=False,
    )


def _fit(runner: pl.Trainer, module: Trained, data: pl.LightningDataModule, path: Path) -> None:
    """Train from the checkpoint at `path`, if there is one, to the end. Of training that diverges
    no checkpoint is left. Lightning makes an exit of Ctrl-C; here it is what it was.
    """
    try:
        begun = intact(path, lambda path: _usable(module, path))
        runner.fit(module, data, ckpt_path=begun, weights_only=True)
    except Diverged:
        path.unlink(missing_ok=True)
        raise
    except SystemExit as stopped:
        if runner.interrupted:
            raise KeyboardInterrupt from stopped
        raise


def _usable(module: Trained, path: Path) -> str:
    """The checkpoint at `path`, from which `module` can go on."""
    with reading(path):
        saved = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    if not isinstance(saved, dict) or not set(module.KEPT) <= saved.keys():
        raise BadFile(path, "is no checkpoint of this version of zol2l")
    return str(path)


def _reset(layer: nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None)
    if callable(reset):
        reset()

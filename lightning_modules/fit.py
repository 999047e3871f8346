"""Run a training job to its end, from wherever an earlier run of it was killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from logging import WARNING, getLogger
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn

from lightning_modules.adversarial_training import VALIDATION, AdversarialTraining
from lightning_modules.instances import InstanceData
from lightning_modules.keep import KeepResult, Kept
from lightning_modules.loggers import loggers
from lightning_modules.meta_training import MetaTraining
from lightning_modules.progress import StepProgress
from lightning_modules.timed_checkpoint import TimedCheckpoint
from lightning_modules.victim_training import VictimData, VictimTraining
from zol2l.errors import InvalidInput, require
from zol2l.victims.datasets import ImageData
from zol2l.victims.networks import class_count

CHECKPOINT = "last.ckpt"
Trained = MetaTraining | AdversarialTraining | VictimTraining

for name in ("pytorch_lightning", "lightning_fabric"):
    getLogger(name).setLevel(WARNING)  # which they set to INFO when imported


def make_trainer(settings: Mapping[str, Any], **more: Any) -> pl.Trainer:
    """A Trainer from its configuration and what the job adds to it."""
    try:
        return pl.Trainer(**settings, enable_progress_bar=False, **more)
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise InvalidInput("trainer", dict(settings), f"Lightning refuses it: {error}") from error


def fit_victim(
    network: nn.Module,
    data: ImageData,
    settings: Mapping[str, Any],
    trainer: Mapping[str, Any],
    logging: Mapping[str, Any],
    folder: Path,
    run_name: str,
    checkpoint: Path,
    keep: Kept,
) -> None:
    """Train `network` and `keep` it, told its test_accuracy.

    `checkpoint`, a file for this configuration alone, is written after every epoch; a killed job
    goes on there, exactly. It is deleted at the end.
    """
    if settings.get("images") is not None:
        wanted = min(settings["images"], len(data.train_images))
        data = data.mixed().first(wanted, "optimizee.victim.training.images")
    size, images = settings["batch_size"], len(data.train_images)
    require(images > 0, "data.train", None, "images to train the victim on")
    require(1 <= size <= images, "optimizee.victim.training.batch_size", size, f"1 to {images}")
    require(
        settings["epochs"] >= 1,
        "optimizee.victim.training.epochs",
        settings["epochs"],
        "at least 1",
    )
    pl.seed_everything(settings["seed"], verbose=False)
    network.apply(_reset)
    module = VictimTraining(
        network,
        settings["rate"],
        classes=class_count(network, data.train_images),
        augment=settings.get("augment", False),
        seed=settings["seed"],
    )
    batches = VictimData(data, settings["batch_size"], settings["seed"])
    steps = settings["epochs"] * (len(data.train_images) // settings["batch_size"])
    shown = StepProgress("Training the victim", steps, ("victim/test_accuracy",))
    with loggers(logging, folder, run_name, "train-victim", settings) as found:
        job = make_trainer(
            {**trainer, "log_every_n_steps": 50},
            max_epochs=settings["epochs"],
            logger=found,
            callbacks=[shown, _last(checkpoint), KeepResult(partial(_accurate, keep))],
        )
        _fit(job, module, batches, checkpoint)
    checkpoint.unlink(missing_ok=True)


def fit_optimizer(
    module: MetaTraining,
    data: InstanceData,
    *,
    trainer: Mapping[str, Any],
    logging: Mapping[str, Any],
    folder: Path,
    run_name: str,
    config: Mapping[str, Any],
    uses: Sequence[Path] = (),
    keep: Kept,
) -> None:
    """Meta-train to the end and `keep` the module's learned part, which holds the best validated
    weights then, told their validation figures and meta-step.

    A checkpoint is written after every meta-step; a killed job goes on there, exactly. `uses` are
    files of weights that it depends on.
    """
    titles = {"update": "Meta-training UpdateRNN", "sampling": "Meta-training QueryRNN"}
    metrics = ("meta/loss", "val/final_loss", "val/queries_to_success", "val/meta_loss")
    shown = StepProgress(titles[module.stage], module.meta_steps, metrics)
    checkpoint = folder / CHECKPOINT
    kept = KeepResult(lambda _: keep(module.take_best()))
    with loggers(logging, folder, run_name, f"meta-train-{module.stage}", config, uses) as found:
        job = make_trainer(
            trainer,
            max_steps=module.meta_steps,
            max_epochs=-1,
            logger=found,
            callbacks=[shown, _last(checkpoint, steps=1), kept],
        )
        _fit(job, module, data, checkpoint)


def fit_robust(
    module: AdversarialTraining,
    *,
    trainer: Mapping[str, Any],
    logging: Mapping[str, Any],
    folder: Path,
    run_name: str,
    config: Mapping[str, Any],
    checkpoint_seconds: float = 0.0,
    uses: Sequence[Path] = (),
    keep: Kept,
) -> None:
    """Train a robust classifier to the end and `keep` it, told its accuracies on the held-out
    images.

    A checkpoint is written after an update when the last is older than `checkpoint_seconds`; a
    killed job goes on there, exactly. It is deleted at the end.
    """
    metrics = ("adv/loss", *(f"val/{name}" for name in VALIDATION))
    shown = StepProgress("Adversarial training", module.total_updates, metrics)
    data = InstanceData(
        len(module.training_images), module.recipe.batch_size, module.seed, "recipe.batch_size"
    )
    checkpoint = folder / CHECKPOINT
    timed = TimedCheckpoint(checkpoint, checkpoint_seconds)
    kept = KeepResult(lambda _: keep(module.validation))
    with loggers(logging, folder, run_name, "adv-train", config, uses) as found:
        job = make_trainer(
            {**trainer, "log_every_n_steps": 10}, max_epochs=-1, logger=found,
            callbacks=[shown, timed, kept], enable_checkpointing=False,
        )  # fmt: skip
        _fit(job, module, data, checkpoint)
    checkpoint.unlink(missing_ok=True)


def _last(path: Path, steps: int | None = None) -> ModelCheckpoint:
    """Keep the latest state, alone, in the file `path`: every so many `steps`, or every epoch."""
    return ModelCheckpoint(
        str(path.parent),
        filename=path.stem,
        every_n_train_steps=steps,
        enable_version_counter=False,
    )


def _fit(job: pl.Trainer, module: Trained, data: pl.LightningDataModule, path: Path) -> None:
    """Train from the checkpoint at `path`, if there is one, to the end. Lightning makes an exit of
    Ctrl-C; here it is what it was.
    """
    try:
        job.fit(module, data, ckpt_path=_checkpoint(module, path), weights_only=True)
    except SystemExit as stopped:
        if job.interrupted:
            raise KeyboardInterrupt from stopped
        raise


def _checkpoint(module: Trained, path: Path) -> str | None:
    """The checkpoint at `path`, if there is one; refused where `module` could not go on from it."""
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise InvalidInput("checkpoint", path, "is damaged; delete it to begin anew") from error
    known = isinstance(saved, dict) and set(module.KEPT) <= saved.keys()
    told = "is not one of this version of zol2l; delete it to begin anew"
    require(known, "checkpoint", path, told)
    return str(path)


def _accurate(keep: Kept, trainer: pl.Trainer) -> Path | None:
    accuracy = float(trainer.callback_metrics["victim/test_accuracy"])
    return keep({"test_accuracy": accuracy})


def _reset(layer: nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None)
    if callable(reset):
        reset()

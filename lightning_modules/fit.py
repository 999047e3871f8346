"""Run a training job to its end, from wherever an earlier run of it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn

from lightning_modules.instances import InstanceData
from lightning_modules.loggers import loggers
from lightning_modules.meta_training import MetaTraining
from lightning_modules.progress import StepProgress
from lightning_modules.victim_training import VictimData, VictimTraining
from zol2l.victims.datasets import ImageData

BEST = "val/meta_loss"


def make_trainer(settings: Mapping[str, Any], **more: Any) -> pl.Trainer:
    """A Trainer from its configuration and what the job adds to it."""
    options = {key: value for key, value in settings.items() if key != "_target_"}
    return pl.Trainer(**options, enable_progress_bar=False, **more)


def fit_victim(
    network: nn.Module,
    data: ImageData,
    settings: Mapping[str, Any],
    trainer: Mapping[str, Any],
    logging: Mapping[str, Any],
    folder: Path,
    run_name: str,
) -> float:
    """Train `network` and return its test accuracy."""
    pl.seed_everything(settings["seed"], verbose=False)
    network.apply(_reset)
    module = VictimTraining(network, rate=settings["rate"])
    batches = VictimData(data, settings["batch_size"], settings["seed"])
    steps = settings["epochs"] * (len(data.train_images) // settings["batch_size"])
    shown = StepProgress("Training the victim", steps, ("victim/test_accuracy",))
    with loggers(logging, folder, run_name, "train-victim", settings) as found:
        job = make_trainer(
            {**trainer, "log_every_n_steps": 50},
            max_epochs=settings["epochs"],
            logger=found,
            callbacks=[shown],
            enable_checkpointing=False,
        )
        job.fit(module, batches)
    return float(job.callback_metrics["victim/test_accuracy"])


def fit_optimizer(
    module: MetaTraining,
    data: InstanceData,
    *,
    validate_every: int,
    trainer: Mapping[str, Any],
    logging: Mapping[str, Any],
    folder: Path,
    run_name: str,
    config: Mapping[str, Any],
) -> dict[str, float]:
    """Meta-train to the end; the module's learned part holds the best validated weights.

    A checkpoint is written after every meta-step; a killed job goes on there, exactly. Returns the
    validation figures of the weights chosen, and their meta-step.
    """
    per_batch = module.schedule.windows_per_batch
    every = _interval(module.meta_steps // per_batch, validate_every // per_batch)
    last, best = _checkpoints(folder)
    titles = {"update": "Meta-training UpdateRNN", "sampling": "Meta-training QueryRNN"}
    metrics = ("meta/loss", "val/final_loss", "val/queries_to_success", "val/meta_loss")
    shown = StepProgress(titles[module.stage], module.meta_steps, metrics)
    with loggers(logging, folder, run_name, f"meta-train-{module.stage}", config) as found:
        job = make_trainer(
            trainer,
            max_steps=module.meta_steps,
            max_epochs=-1,
            val_check_interval=every,
            check_val_every_n_epoch=None,
            logger=found,
            callbacks=[shown, last, best],
        )
        resume = folder / "last.ckpt"
        job.fit(module, data, ckpt_path=str(resume) if resume.exists() else None, weights_only=True)
    return _take_best(module, Path(best.best_model_path))


def _interval(batches: int, wanted: int) -> int:
    """Batches between validations: at most `wanted`, and such that the last weights are seen."""
    return next(n for n in range(max(1, min(wanted, batches)), 0, -1) if batches % n == 0)


def _checkpoints(folder: Path) -> tuple[ModelCheckpoint, ModelCheckpoint]:
    common: dict[str, Any] = {"dirpath": str(folder), "enable_version_counter": False}
    last = ModelCheckpoint(filename="last", every_n_train_steps=1, **common)
    best = ModelCheckpoint(filename="best", monitor=BEST, mode="min", **common)
    return last, best


def _take_best(module: MetaTraining, path: Path) -> dict[str, float]:
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    figures = {k: float(v) for k, v in checkpoint["validation"].items()}
    return {"meta_step": float(checkpoint["global_step"]), **figures}


def _reset(layer: nn.Module) -> None:
    reset = getattr(layer, "reset_parameters", None)
    if callable(reset):
        reset()

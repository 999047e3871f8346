"""Tiny meta-training jobs on quadratics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from lightning_modules.instances import InstanceData
from lightning_modules.meta_training import MetaTraining
from lightning_modules.truncation import TruncationSchedule
from zol2l.estimators import Estimator, ForwardDifference
from zol2l.optimizees import QuadraticFamily
from zol2l.optimizer import ComposedOptimizer
from zol2l.reporting.tracking import Job
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.updates import UpdateRNN

FAMILY = QuadraticFamily(train=6, validation=3, test=3, dimension=4)
SCHEDULE = TruncationSchedule(horizon=6, window=2)
QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "use_distributed_sampler": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}
SILENT = {"csv": True, "tensorboard": False, "wandb": False, "project": "test"}


def module(
    stage: str = "update", estimator: Estimator | None = None, **changes: Any
) -> MetaTraining:
    torch.manual_seed(0)
    sampling = QueryRNN(3, normalize=False) if stage == "sampling" else GaussianSampling(3)
    optimizer = ComposedOptimizer(sampling, estimator or ForwardDifference(), UpdateRNN())
    settings: dict[str, Any] = {"schedule": SCHEDULE, "stage": stage, "meta_steps": 6, **changes}
    return MetaTraining(optimizer, FAMILY, **settings)


def train(job: MetaTraining, batch_size: int = 2, **trainer: Any) -> MetaTraining:
    """Train without files until the meta-steps are done."""
    options = {**QUIET, "logger": False, "enable_checkpointing": False, **trainer}
    options.setdefault("max_steps", job.meta_steps)
    data = InstanceData(FAMILY.sizes["train"], batch_size)
    pl.Trainer(**options, max_epochs=-1, enable_progress_bar=False).fit(job, data)
    return job


def weights(part: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in part.parameters()])


def fit_arguments(folder: Path) -> dict[str, Any]:
    return {"trainer": QUIET, "job": Job(SILENT, folder, "toy", "test", {})}

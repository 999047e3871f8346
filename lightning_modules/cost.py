"""What training a defense costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.callbacks import Timer

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.fit import make_trainer
from lightning_modules.instances import InstanceData


def seconds_per_update(module: AdversarialTraining, trainer: Mapping[str, Any]) -> float:
    """Train to the end without logs and checkpoints; the wall time of an update, in seconds."""
    timer = Timer()
    data = InstanceData(len(module.training_images), module.recipe.batch_size, module.seed)
    job = make_trainer(
        {**trainer, "log_every_n_steps": 10}, max_epochs=-1, logger=False,
        enable_checkpointing=False, callbacks=[timer],
    )  # fmt: skip
    job.fit(module, data)
    return timer.time_elapsed("train") / module.updates

"""What training a defense costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from pytorch_lightning.callbacks import Callback

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.fit import make_trainer
from lightning_modules.instances import InstanceData
from zol2l.errors import require


class Clock(Callback):
    """When each batch ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())


def seconds_per_update(module: AdversarialTraining, trainer: Mapping[str, Any]) -> float:
    """Train to the end without logs and checkpoints, at least two updates on one device; the median
    wall time of an update after the first, in seconds.
    """
    require(trainer.get("devices", 1) == 1, "trainer.devices", trainer.get("devices"), "1, to time")
    require(module.total_updates >= 2, "updates", module.total_updates, "at least 2")
    clock = Clock()
    data = InstanceData(len(module.training_images), module.batch_size, module.seed)
    runner = make_trainer(
        trainer, log_every=10, max_epochs=-1, logger=False, enable_checkpointing=False,
        callbacks=[clock],
    )  # fmt: skip
    runner.fit(module, data)
    ends = clock.ends[module.recipe.accumulate - 1 :: module.recipe.accumulate]
    return statistics.median(b - a for a, b in pairwise(ends))

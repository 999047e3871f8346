"""What training has learned is kept by the process that trains, on its first device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from lightning_modules.loggers import OwnRun

Kept = Callable[[dict[str, float]], Path | None]
"""Told the validation figures of what was learned, writes it; where it is."""


class KeepResult(Callback):
    """At the end of training, `keep` what it has learned and show the file to Weights & Biases.

    All devices wait for that: none goes on before the file is there.
    """

    def __init__(self, keep: Callable[[pl.Trainer], Path | None]) -> None:
        self.keep = keep

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            path = self.keep(trainer)
            for logger in trainer.loggers:
                if isinstance(logger, OwnRun) and path is not None:
                    logger.made(path)
        trainer.strategy.barrier("kept")

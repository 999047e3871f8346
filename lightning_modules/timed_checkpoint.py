"""Checkpoints by the clock, for manual optimization, of which ModelCheckpoint knows steps alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback


class TimedCheckpoint(Callback):
    """Keeps the latest state in the file `path`: after an update, `every_seconds` after the last.

    Not in the middle of an accumulated update, whose gradients no checkpoint holds. Of several
    devices the first one's clock decides.
    """

    def __init__(self, path: Path, every_seconds: float) -> None:
        self.path, self.every_seconds = path, every_seconds
        self.saved_at = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *_: Any) -> None:
        if not module.between_updates:
            return
        due = time.monotonic() - self.saved_at >= self.every_seconds
        if trainer.strategy.broadcast(due):
            module.require_finite()
            trainer.save_checkpoint(self.path)
            self.saved_at = time.monotonic()

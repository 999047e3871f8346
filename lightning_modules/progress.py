"""Progress of training by steps, with time left, and a line after each validation."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from zol2l.terminal.progress import Advance, progress_bars

log = logging.getLogger(__name__)


class StepProgress(Callback):
    """Counts optimizer steps up to `total`, shows `metrics`, logs them after each validation."""

    def __init__(self, title: str, total: int, metrics: tuple[str, ...]) -> None:
        self.title, self.total, self.metrics = title, total, metrics
        self.shown = ExitStack()
        self.advance: Advance | None = None
        self.reported: int | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.total = getattr(module, "total_updates", self.total)  # known once devices are
        if trainer.is_global_zero:
            self.advance = self.shown.enter_context(progress_bars())
            self.advance(self.title, _done(trainer, module), self.total)

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        if self.advance is not None:
            self.advance(self.title, _done(trainer, module), self.total)
            validated = getattr(module, "validated_at", None)
            if validated == _done(trainer, module) and validated != self.reported:
                self.reported = validated
                self._report(trainer, module)

    def _report(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.advance is not None:
            known = trainer.callback_metrics
            values = {name: float(known[name]) for name in self.metrics if name in known}
            shown = ", ".join(f"{k.rpartition('/')[2]} {v:.4g}" for k, v in values.items())
            done = _done(trainer, module)
            log.info("%s, step %d of %d: %s", self.title, done, self.total, shown)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.shown.close()

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        self.on_train_end(trainer, module)
        if isinstance(exception, KeyboardInterrupt):
            log.info("%s was stopped; the same command goes on where it was", self.title)


def _done(trainer: pl.Trainer, module: pl.LightningModule) -> int:
    """Updates; Lightning counts one for each of a module's optimizers."""
    return int(getattr(module, "updates", trainer.global_step))

"""Training that is counted in updates and resumes exactly after any of them."""

from __future__ import annotations

import logging
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor

from lightning_modules.loggers import log_once
from zol2l.errors import Diverged, require
from zol2l.maximizers import Draws
from zol2l.seeds import seed_of

log = logging.getLogger(__name__)


class CountedTraining(pl.LightningModule):
    """Epochs over `images` training images, in batches of `batch_size` a device, `accumulate` of
    which make one update. Of fewer images than an update takes batches are smaller, which is said.

    A batch is a vector of rows of the training images, dealt by InstanceData. All random numbers
    of a batch follow from (seed, batch) and the rows: a killed job resumes exactly, and devices see
    what one device with the joined batch would, but for batch normalization, which each device does
    by its own part, and dropout. Subclasses say what is minimized (`batch_loss`),
    how an update is made (`move`) and what is measured after an epoch (`figures`).
    """

    KEPT = ("done", "validation")
    """What its checkpoints have beside Lightning's own."""
    GROUP = "val"
    """Of logged figures, before their names."""
    RATE: str
    """The setting of the learning rate, as messages call it."""

    def __init__(
        self, images: int, *, epochs: int, batch_size: int, accumulate: int, seed: int
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.available, self.epochs = images, epochs
        self.batch_size = _clamped(batch_size, images // accumulate)
        self.accumulate, self.seed = accumulate, seed
        self.batches_done = self.updates = 0
        self.validated_at = -1
        self.validation: dict[str, float] = {}

    def batch_loss(self, rows: Tensor, draws: Draws) -> Tensor:
        """The scalar whose gradient a batch is for."""
        raise NotImplementedError

    def move(self) -> None:
        """Make an update of the gradients that are there, and clear them."""
        raise NotImplementedError

    def figures(self) -> dict[str, float]:
        """What is measured after an epoch."""
        raise NotImplementedError

    def updates_per_epoch(self) -> int:
        """Whole updates in a pass over the training images, on all devices together."""
        joined = self.batch_size * self.accumulate * _devices()
        allowed = f"at most the {self.available} training images, on all devices, for one update"
        field = "batch_size" if self.accumulate == 1 else "batch_size * accumulate"
        require(joined <= self.available, field, joined, allowed)
        return self.available // joined

    @property
    def total_updates(self) -> int:
        """Of the whole training."""
        return self.epochs * self.updates_per_epoch()

    @property
    def between_updates(self) -> bool:
        """Whether a checkpoint would hold all there is: no gradients wait for an update."""
        return self.batches_done == self.updates * self.accumulate

    def training_step(self, rows: Tensor, index: int) -> None:
        """One batch; every `accumulate`-th ends with an update, the last one ends training."""
        if self.updates == self.total_updates:
            self.trainer.should_stop = True  # it was killed after the last update
            return
        torch.manual_seed(self._seed() + 7919 * self.global_rank)  # of dropout
        draws = self._draws(len(rows))
        self.batches_done += 1
        loss = self.batch_loss(rows.cpu(), draws)
        if not bool(loss.isfinite()):
            raise self._diverged("the loss", loss.item())
        self.manual_backward(loss / self.accumulate)
        if self.batches_done % self.accumulate == 0:
            self._update()
        self.trainer.should_stop = self.updates == self.total_updates

    def _update(self) -> None:
        self._share_buffers()
        self.move()
        self.updates += 1
        if self.updates % self.updates_per_epoch() == 0:
            self._validate()

    def require_finite(self) -> None:
        """Refuse weights that are not finite, and buffers with NaN: nothing good comes after."""
        for name, weight in self.named_parameters():
            if not bool(weight.isfinite().all()):
                raise self._diverged(name, "not finite")
        for name, buffer in self.named_buffers():
            if bool(buffer.isnan().any()):
                raise self._diverged(name, "NaN")

    def _diverged(self, what: str, value: object) -> Diverged:
        after = f"training diverged after {self.updates} updates; lower {self.RATE}"
        return Diverged(what, value, f"{after}. Nothing is kept")

    def _validate(self) -> None:
        self.require_finite()
        self.validated_at = self.updates
        with torch.autocast(self.device.type, enabled=False):  # as it will be evaluated
            figures = self.figures()
        if figures:
            self.validation = figures
            shown = {f"{self.GROUP}/{name}": figure for name, figure in figures.items()}
            log_once(self, shown, self.batches_done - 1, **self.axis())

    def axis(self) -> dict[str, float]:
        """What figures are drawn against beside the batches."""
        return {}

    def _draws(self, size: int) -> Draws:
        """Of this device's rows of the joined batch."""
        rows = self.global_rank * size + torch.arange(size)
        generator = torch.Generator().manual_seed(self._seed())
        return Draws(generator, rows, size * _devices())

    def _seed(self) -> int:
        return seed_of(self.seed, self.batches_done)

    def _share_buffers(self) -> None:
        """Give all devices the mean of their running statistics: they go on with one network, and
        a checkpoint holds it.
        """
        if _devices() > 1:
            for buffer in self.buffers():
                if buffer.is_floating_point():
                    dist.all_reduce(buffer)
                    buffer.div_(_devices())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Where training is; its random streams follow from that."""
        checkpoint["done"] = self.batches_done, self.updates
        checkpoint["validation"] = dict(self.validation)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.batches_done, self.updates = checkpoint["done"]
        self.validation = checkpoint["validation"]


def _clamped(size: int, most: int) -> int:
    if size <= most or most == 0:
        return size
    log.warning("batch_size=%d: there are images for %d; batches are of %d", size, most, most)
    return most


def _devices() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1

"""Meta-train a learned optimizer by truncated backpropagation through time (ZO-L2L section 3)."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.curriculum import Curriculum
from lightning_modules.loggers import log_once
from lightning_modules.meta_settings import MetaSettings, Slopes
from lightning_modules.truncation import TruncationSchedule
from zol2l.errors import Diverged, require
from zol2l.estimators import CentralDifference, DirectionalDerivative, ForwardDifference
from zol2l.evaluation.results import trial_rows
from zol2l.evaluation.statistics import trajectory_statistics
from zol2l.meta_gradient import MetaGradient, Remembering, attached_loss, autograd_gradient
from zol2l.optimizees import OptimizeeFamily
from zol2l.optimizer import ComposedOptimizer, State, iterate
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.storage.tensor_files import flatten, restore_stream, unflatten
from zol2l.types import Rows

log = logging.getLogger(__name__)

Stage = Literal["update", "sampling"]
VALIDATION_SEED = 7
SELECTED_BY = "meta_loss"
"""The validation figure that the weights to keep are chosen by: it rewards speed and final loss."""
FINAL_RATE = 0.03
"""The meta learning rate ends at this fraction of its start (half a cosine)."""


@dataclass(frozen=True)
class Unroll(Rows):
    """Problem instances under way: their rows (n,) in the training split, the steps taken (n,) and
    the optimizer's state. It is what one meta-step hands to the next, hidden states included.
    """

    rows: Tensor
    step: Tensor
    state: State


class MetaTraining(pl.LightningModule):
    """Minimize sum_t w_t f(theta_t) + lambda ||Sigma_t - I||^2 (equation 4) over one learned part.

    `stage` says which: "update" trains the update rule under the sampling rule it is given
    (Gaussian), "sampling" trains the sampling rule and freezes the update rule. A batch is a
    vector of rows of the training split: a sample of the data loader is a problem instance. One
    window is one meta-step: Adam with cosine decay on the mean over instances, each coordinate of
    the meta-gradient clamped to [-clamp, clamp].

    Estimates in training take their slopes from f's `derivative`, which equation 4 needs anyway:
    the limit of finite differences for mu -> 0, at a fraction of their cost. `slopes="queries"`
    asks the method's own estimator, as evaluation does. A `curriculum` begins with easier problems.
    """

    KEPT = ("done", "unrolls")
    """What its checkpoints have beside Lightning's own."""

    def __init__(
        self,
        optimizer: ComposedOptimizer,
        family: OptimizeeFamily,
        schedule: TruncationSchedule,
        *,
        stage: Stage,
        meta_steps: int,
        validate_every: int = 25,
        validation_trials: int = 1,
        rate: float = 3e-3,
        regularization: float = 0.005,
        clamp: float = 1.0,
        seed: int = 0,
        gradient: MetaGradient = autograd_gradient,
        slopes: Slopes = "derivative",
        curriculum: Curriculum | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        MetaSettings(
            schedule=schedule, meta_steps=meta_steps, validate_every=validate_every,
            validation_trials=validation_trials, rate=rate, regularization=regularization,
            clamp=clamp, slopes=slopes,
        )  # fmt: skip
        parts = {"update": optimizer.update, "sampling": optimizer.sampling}
        require(stage in parts, "stage", stage, "update or sampling")
        optimizer.requires_grad_(False)
        self.learned = parts[stage].requires_grad_(True)
        weights = sum(p.numel() for p in self.learned.parameters())
        require(weights > 0, "stage", stage, "must name a part that has weights")
        self.optimizer, self.family, self.schedule = optimizer, family, schedule
        self.meta_steps, self.rate, self.clamp = meta_steps, rate, clamp
        self.regularization, self.meta_gradient = regularization, gradient
        self.stage, self.slopes, self.curriculum = stage, slopes, curriculum
        self.under_way: list[Unroll] = []
        self.batches_done = self.meta_step = self.validated_at = 0
        self.validate_every, self.validation_trials = validate_every, validation_trials
        self.best: dict[str, Any] | None = None
        self.seed = seed
        self._restored: list[dict[str, Any]] | None = None

    def on_fit_start(self) -> None:
        """Give each device its own random stream; take up a restored unroll."""
        self.family.device = self.device
        self.generator = torch.Generator(self.device).manual_seed(self.seed + self.global_rank)
        if self._restored is not None:
            devices, saved = self.trainer.world_size, len(self._restored)
            allowed = f"{saved} to resume: each device has unrolls of its own"
            require(devices == saved, "trainer.devices", devices, allowed)
            mine = self._restored[self.global_rank]
            self.under_way = self._unrolls(mine)
            restore_stream(self.generator, mine["generator"])
            self._restored = None

    def training_step(self, batch: Tensor, index: int) -> None:
        """Start the batch's instances and advance everything under way by its windows."""
        self.batches_done += 1
        self.under_way.append(self._start(batch))
        for _ in range(self.schedule.windows_per_batch):
            self._meta_step()
            self.meta_step += 1
            if self.meta_step % self.validate_every == 0 or self.meta_step == self.meta_steps:
                self._keep_if_best()

    def _start(self, rows: Tensor) -> Unroll:
        theta = self.family.placed("train", rows.cpu()).start()
        step = torch.zeros(len(rows), dtype=theta.dtype, device=theta.device)
        return Unroll(rows.cpu(), step, self.optimizer.init(theta))

    def _meta_step(self) -> None:
        objective, losses = self.advance()
        self.manual_backward(objective)
        for weight in self.learned.parameters():
            if weight.grad is not None:
                weight.grad.nan_to_num_(0.0).clamp_(-self.clamp, self.clamp)
        adam: Any = self.optimizers()
        decay: Any = self.lr_schedulers()
        adam.step()
        adam.zero_grad()
        decay.step()
        self.log("meta/objective", objective.detach())
        self.log("meta/loss", losses.nanmean())

    def advance(self) -> tuple[Tensor, Tensor]:
        """Take everything under way through its next window; the objective and the losses (K, B).
        Unrolls that have reached the horizon end.
        """
        sizes = [len(unroll.rows) for unroll in self.under_way]
        everything, objective, losses = self.unroll_window(Unroll.cat(self.under_way))
        everything = everything.detach()
        ends = torch.tensor(sizes).cumsum(0).tolist()
        parts = [everything[end - size : end] for size, end in zip(sizes, ends, strict=True)]
        self.under_way = [p for p in parts if int(p.step[0]) < self.schedule.horizon]
        return objective, losses

    def unroll_window(self, unroll: Unroll) -> tuple[Unroll, Tensor, Tensor]:
        """One window of all instances: the unroll after it, the objective and the losses (K, B)."""
        optimizee = self.family.placed("train", unroll.rows)
        if self.curriculum is not None:
            self.curriculum.ease(optimizee, self.meta_step / self.meta_steps)
        oracle = Oracle(optimizee)
        gradient = Remembering(self.meta_gradient)
        optimizer = self._unrolled(gradient).train()
        terms, losses, step, state = [], [], unroll.step, unroll.state
        window = self.schedule.window
        for after, seen in iterate(optimizer, oracle, state, window, self.generator):
            state = after
            step = step + 1
            loss = attached_loss(optimizee, state.theta, gradient)
            term = (
                self.schedule.weights(step) * loss + self.regularization * seen.directions.penalty
            )
            terms.append(self.schedule.scale * term)
            losses.append(loss.detach())
        self._report_failed(oracle, unroll.rows)
        per_instance = torch.stack(terms)
        kept = per_instance.isfinite()
        objective = torch.where(kept, per_instance, 0).sum() / len(unroll.rows)
        return replace(unroll, step=step, state=state), objective, torch.stack(losses)

    def _unrolled(self, gradient: MetaGradient) -> ComposedOptimizer:
        """The optimizer that is unrolled: slopes of the derivative in place of differences."""
        differences = isinstance(self.optimizer.estimator, ForwardDifference | CentralDifference)
        if self.slopes == "queries" or not differences:
            return self.optimizer
        estimator = DirectionalDerivative(gradient)
        return ComposedOptimizer(self.optimizer.sampling, estimator, self.optimizer.update)

    def _report_failed(self, oracle: Oracle, rows: Tensor) -> None:
        failed = rows[oracle.failed].tolist()
        if failed:
            log.warning("Training instances %s returned NaN or inf and are left out", failed)
        if bool(oracle.failed.all()):
            raise self._diverged("no training instance under way is finite")

    def _diverged(self, why: str) -> Diverged:
        told = f"{why} after {self.meta_step} meta-steps; lower it, or mend the problem"
        return Diverged(f"meta_training.rate.{self.stage}", self.rate, f"{told}. Nothing is kept")

    def validate(self) -> dict[str, float]:
        """Run the optimizer on the validation instances, always with the same directions: a few
        trials of each, for a figure that noise decides would choose weights by luck.
        """
        generator = torch.Generator(self.family.device).manual_seed(VALIDATION_SEED)
        rows = trial_rows(self.family.sizes["validation"], self.validation_trials)
        oracle = Oracle(self.family.placed("validation", rows))
        with torch.autocast(self.family.device.type, enabled=False):  # differences need all bits
            trajectory = run(self.optimizer, oracle, self.schedule.horizon, generator)
        figures = {name: float(x) for name, x in trajectory_statistics(trajectory).items()}
        broke = bool(oracle.failed.any())  # the mean of those that are left would be better
        return {**figures, SELECTED_BY: float("inf")} if broke else figures

    def _keep_if_best(self) -> None:
        figures, self.validated_at = self.validate(), self.meta_step
        shown = {f"val/{name}": value for name, value in figures.items()}
        log_once(self, shown, self.batches_done - 1)
        if self.best is None or figures[SELECTED_BY] < self.best["figures"][SELECTED_BY]:
            weights = {k: v.detach().clone() for k, v in self.learned.state_dict().items()}
            self.best = {"meta_step": self.meta_step, "figures": figures, "weights": weights}

    def take_best(self) -> dict[str, float]:
        """Put the best validated weights in their place; their figures and meta-step."""
        assert self.best is not None, "the last weights are always validated"
        if not math.isfinite(self.best["figures"][SELECTED_BY]):
            raise self._diverged("no weights leave all validation instances finite")
        self.learned.load_state_dict(self.best["weights"])
        return {"meta_step": float(self.best["meta_step"]), **self.best["figures"]}

    def configure_optimizers(self) -> Any:
        adam = torch.optim.Adam(self.learned.parameters(), lr=self.rate)
        decay = CosineAnnealingLR(adam, self.meta_steps, eta_min=self.rate * FINAL_RATE)
        return [adam], [decay]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep each device's unrolls under way and its random stream: resuming is exact."""
        checkpoint["done"] = {
            "batches_done": self.batches_done,
            "meta_step": self.meta_step,
            "best": self.best,
        }
        mine = {
            "sizes": [len(unroll.rows) for unroll in self.under_way],
            "tensors": [flatten(unroll) for unroll in self.under_way],
            "generator": self.generator.get_state(),
        }
        checkpoint["unrolls"] = _of_all_devices(mine)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Unrolls are taken up when training starts and the device is known."""
        self._restored = checkpoint["unrolls"]
        done = checkpoint["done"]
        self.batches_done, self.meta_step = int(done["batches_done"]), int(done["meta_step"])
        self.best = done["best"]

    def _unrolls(self, saved: dict[str, Any]) -> list[Unroll]:
        pairs = zip(saved["sizes"], saved["tensors"], strict=True)
        return [unflatten(self._start(torch.zeros(n).long()), tensors) for n, tensors in pairs]


def _of_all_devices(mine: dict[str, Any]) -> list[dict[str, Any]]:
    """What each device has, by rank."""
    if not dist.is_initialized():
        return [mine]
    everyone: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, mine)
    return everyone

"""Train a robust classifier, and a learned inner maximizer beside it (RNN-Adv, algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lightning_modules.augmentation import augmented
from lightning_modules.loggers import log_once
from lightning_modules.recipe import Recipe
from zol2l.attacks.threat_model import ThreatModel
from zol2l.errors import require
from zol2l.evaluation.robustness import accuracy
from zol2l.maximizers import Draws, InnerProblem, Maximizer, Objective
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.pgd import PGD

VALIDATION: dict[str, Maximizer] = {"natural": NoMaximizer(), "pgd10": PGD(10)}
MakeOptimizer = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


class AdversarialTraining(pl.LightningModule):
    """min over theta of the objective's outer loss at the images that the maximizer finds; a
    maximizer with weights phi is trained to find worse ones (Xiong & Hsieh, algorithm 1).

    A batch is a vector of rows of `images` (m, C, H, W) and `labels` (m,). Both players' gradients
    are taken at the same theta and phi, then both move, `learner` by gradient ascent. The inner
    problem asks the classifier in evaluation mode. With `frozen`, phi alone learns: an attacker of
    a given classifier. All random numbers of an update follow from (seed, update) and the rows: a
    killed job resumes exactly, and devices see what one device with the joined batch would.
    """

    KEPT = ("done", "validation")
    """What its checkpoints have beside Lightning's own."""

    def __init__(
        self,
        classifier: nn.Module,
        maximizer: Maximizer,
        objective: Objective,
        threat: ThreatModel,
        images: Tensor,
        labels: Tensor,
        recipe: Recipe,
        optimizer: MakeOptimizer,
        learner: MakeOptimizer,
        *,
        seed: int = 0,
        frozen: bool = False,
        learner_clip: float | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        learns = any(True for _ in maximizer.parameters())
        require(learns or not frozen, "frozen", frozen, "false: the maximizer learns nothing")
        self.classifier = classifier.to(memory_format=torch.channels_last)
        self.classifier.requires_grad_(not frozen)
        self.maximizer, self.objective, self.threat = maximizer, objective, threat
        self.recipe, self.seed, self.frozen, self.learns = recipe, seed, frozen, learns
        self.makers, self.learner_clip = (optimizer, learner), learner_clip
        self.average = _average(classifier, recipe.ema) if recipe.ema and not frozen else None
        split = len(images) - recipe.held_out
        require(split > 0, "recipe.held_out", recipe.held_out, f"below the {len(images)} images")
        self.training_images, self.training_labels = images[:split], labels[:split]
        self.held_out = images[split:], labels[split:]
        self.batches_done = self.updates = 0
        self.validated_at = -1
        self.validation: dict[str, float] = {}

    def updates_per_epoch(self) -> int:
        """Whole updates in a pass over the training images, on all devices together."""
        joined = self.recipe.batch_size * self.recipe.accumulate * _devices()
        available = len(self.training_images)
        allowed = f"at most the {available} training images, on all devices, for one update"
        require(joined <= available, "recipe.batch_size", joined, allowed)
        return available // joined

    @property
    def total_updates(self) -> int:
        """Of the whole training."""
        return self.recipe.epochs * self.updates_per_epoch()

    @property
    def result(self) -> nn.Module:
        """The classifier that results: the average of its weights, where one is kept."""
        return self.classifier if self.average is None else self.average.module

    def on_fit_start(self) -> None:
        """Networks may come in evaluation mode."""
        self.maximizer.train()
        self.classifier.train(not self.frozen)

    def training_step(self, rows: Tensor, index: int) -> None:
        """One batch; every `accumulate`-th ends with an update, the last one ends training."""
        if self.updates == self.total_updates:
            self.trainer.should_stop = True  # it was killed after the last update
            return
        torch.manual_seed(self._seed() + 7919 * self.global_rank)  # of dropout
        draws = self._draws(len(rows))
        self.batches_done += 1
        images, labels = self.training_images[rows.cpu()], self.training_labels[rows.cpu()]
        if self.recipe.augment:
            images = augmented(images, draws)
        loss, gain = self.players(images.to(self.device), labels.to(self.device), draws)
        require(bool(loss.isfinite()), "adv/loss", loss.item(), "finite; lower the learning rate")
        self.log("adv/loss", loss.detach(), prog_bar=True)
        self.log("adv/epoch", self.updates / self.updates_per_epoch())
        objective = -gain if gain is not None else loss
        if gain is not None:
            self.log("adv/gain", gain.detach())
            objective = objective if self.frozen else objective + loss
        self.manual_backward(objective / self.recipe.accumulate)
        if self.batches_done % self.recipe.accumulate == 0:
            self._update()
        self.trainer.should_stop = self.updates == self.total_updates

    def players(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor | None]:
        """The loss of theta, and the scalar that phi raises."""
        ball = self.threat.scaled(self.recipe.radius((self.updates + 1) / self.total_updates))
        problem = InnerProblem(self.classifier, self.objective, images, labels, ball)
        found = self.maximizer(problem, draws)
        with torch.set_grad_enabled(not self.frozen):
            loss = self.objective.outer(self.classifier, images, found.adversarial, labels)
        return loss, found.gain

    def _draws(self, size: int) -> Draws:
        """Of this device's rows of the joined batch."""
        rows = self.global_rank * size + torch.arange(size)
        generator = torch.Generator().manual_seed(self._seed())
        return Draws(generator, rows, size * _devices())

    def _seed(self) -> int:
        return self.seed * 1_000_003 + self.batches_done

    def _update(self) -> None:
        clips = ((self.classifier, self.recipe.clip), (self.maximizer, self.learner_clip))
        for player, clip in clips:
            if clip is not None:
                clip_grad_norm_(player.parameters(), clip)
        found: Any = self.optimizers()
        for optimizer in found if isinstance(found, list) else [found]:
            optimizer.step()
            optimizer.zero_grad()
        if not self.frozen:
            schedule: Any = self.lr_schedulers()
            schedule.step()
        _share_buffers(self)
        if self.average is not None:
            self.average.update_parameters(self.classifier)
        self.updates += 1
        if self.updates % self.updates_per_epoch() == 0:
            self._validate()

    def _validate(self) -> None:
        """Natural and PGD-10 accuracy on the images that were held out."""
        self.validated_at = self.updates
        images, labels = (part.to(self.device) for part in self.held_out)
        if len(labels) == 0:
            return
        for name, attack in VALIDATION.items():
            known = accuracy(self.result, attack, images, labels, self.threat, self.seed)
            self.validation[name] = known
        shown = {f"val/{name}": known for name, known in self.validation.items()}
        epoch = {"adv/epoch": self.updates / self.updates_per_epoch()}
        log_once(self, shown, self.batches_done - 1, **epoch)

    def configure_optimizers(self) -> Any:
        """The classifier's with the recipe's schedule, the maximizer's at a constant rate."""
        make, learner = self.makers
        learned = [learner(self.maximizer.parameters())] if self.learns else []
        if self.frozen:
            return learned
        optimizer, rate = make(self.classifier.parameters()), self.recipe.rate
        schedule = LambdaLR(optimizer, lambda update: rate(update / self.total_updates))
        return [optimizer, *learned], [schedule]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Where training is; its random streams follow from that."""
        checkpoint["done"] = self.batches_done, self.updates
        checkpoint["validation"] = dict(self.validation)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.batches_done, self.updates = checkpoint["done"]
        self.validation = checkpoint["validation"]


def _average(classifier: nn.Module, decay: float) -> AveragedModel:
    update: Any = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(classifier, multi_avg_fn=update, use_buffers=True).requires_grad_(False)


def _share_buffers(module: nn.Module) -> None:
    """Give all devices the mean of their running statistics: the inner problems of all see one
    classifier, and a checkpoint holds it.
    """
    if _devices() > 1:
        for buffer in module.buffers():
            if buffer.is_floating_point():
                dist.all_reduce(buffer)
                buffer.div_(_devices())


def _devices() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1

"""Train a robust classifier, and a learned inner maximizer beside it (RNN-Adv, algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lightning_modules.augmentation import augmented
from lightning_modules.counted_training import CountedTraining
from lightning_modules.recipe import Recipe
from zol2l.errors import require
from zol2l.evaluation.robustness import accuracy
from zol2l.maximizers import Draws, InnerProblem, Maximized, Maximizer, Objective
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.pgd import PGD
from zol2l.optimizees.threat_model import ThreatModel

VALIDATION: dict[str, Maximizer] = {"natural": NoMaximizer(), "pgd10": PGD(10)}
MakeOptimizer = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


class AdversarialTraining(CountedTraining):
    """min over theta of the objective's outer loss at the images that the maximizer finds; a
    maximizer with weights phi is trained to find worse ones (Xiong & Hsieh, algorithm 1).

    A batch is a vector of rows of `images` (m, C, H, W) and `labels` (m,). Both players' gradients
    are taken at the same theta and phi, then both move, `learner` by gradient ascent. The inner
    problem asks the classifier in evaluation mode. With `frozen`, phi alone learns: an attacker of
    a given classifier.
    """

    RATE = "recipe.optimizer.lr"

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
        split = len(images) - recipe.held_out
        allowed = f"below the {len(images)} images"
        require(split > 0, "held_out", recipe.held_out, allowed)
        super().__init__(
            split, epochs=recipe.epochs, batch_size=recipe.batch_size,
            accumulate=recipe.accumulate, seed=seed,
        )  # fmt: skip
        learns = any(True for _ in maximizer.parameters())
        allowed = "false: the maximizer learns nothing"
        require(learns or not frozen, "frozen", frozen, allowed)
        positive = learner_clip is None or learner_clip > 0
        require(positive, "learner_clip", learner_clip, "a positive norm, or null")
        self.classifier = classifier.to(memory_format=torch.channels_last)
        self.classifier.requires_grad_(not frozen)
        self.maximizer, self.objective, self.threat = maximizer, objective, threat
        self.recipe, self.frozen, self.learns = recipe, frozen, learns
        self.makers, self.learner_clip = (optimizer, learner), learner_clip
        self.average = _average(classifier, recipe.ema) if recipe.ema and not frozen else None
        self.training_images, self.training_labels = images[:split], labels[:split]
        self.held_out = images[split:], labels[split:]

    @property
    def result(self) -> nn.Module:
        """The classifier that results: the average of its weights, where one is kept."""
        return self.classifier if self.average is None else self.average.module

    def on_fit_start(self) -> None:
        """Networks may come in evaluation mode."""
        self.maximizer.train()
        self.classifier.train(not self.frozen)

    def batch_loss(self, rows: Tensor, draws: Draws) -> Tensor:
        """The loss of theta, less what phi gains: one descent moves both."""
        images, labels = self.training_images[rows], self.training_labels[rows]
        if self.recipe.augment:
            images = augmented(images, draws)
        loss, found = self.players(images.to(self.device), labels.to(self.device), draws)
        self.log("adv/loss", loss.detach(), prog_bar=True)
        self.log("adv/epoch", self.axis()["adv/epoch"])
        if len(found.losses):
            self.log("adv/rise", (found.losses[-1] - found.losses[0]).mean())
        if found.gain is None:
            return loss
        return -found.gain if self.frozen else loss - found.gain

    def players(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Maximized]:
        """The loss of theta, and what the maximizer found with the scalar that phi raises."""
        ball = self.threat.scaled(self.recipe.radius((self.updates + 1) / self.total_updates))
        problem = InnerProblem(self.classifier, self.objective, images, labels, ball)
        found = self.maximizer(problem, draws)
        with torch.set_grad_enabled(not self.frozen):
            loss = self.objective.outer(self.classifier, images, found.adversarial, labels)
        return loss, found

    def move(self) -> None:
        """Both players' steps, and the average's."""
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
        if self.average is not None:
            self.average.update_parameters(self.classifier)

    def figures(self) -> dict[str, float]:
        """Natural and PGD-10 accuracy on the images that were held out."""
        images, labels = (part.to(self.device) for part in self.held_out)
        if len(labels) == 0:
            return {}
        return {
            name: accuracy(self.result, attack, images, labels, self.threat, self.seed)
            for name, attack in VALIDATION.items()
        }

    def axis(self) -> dict[str, float]:
        """Epochs of the training images."""
        return {"adv/epoch": self.updates / self.updates_per_epoch()}

    def configure_optimizers(self) -> Any:
        """The classifier's with the recipe's schedule, the maximizer's at a constant rate."""
        make, learner = self.makers
        learned = [learner(self.maximizer.parameters())] if self.learns else []
        if self.frozen:
            return learned
        optimizer, rate = make(self.classifier.parameters()), self.recipe.rate
        schedule = LambdaLR(optimizer, lambda update: rate(update / self.total_updates))
        return [optimizer, *learned], [schedule]


def _average(classifier: nn.Module, decay: float) -> AveragedModel:
    update: Any = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(classifier, multi_avg_fn=update, use_buffers=True).requires_grad_(False)

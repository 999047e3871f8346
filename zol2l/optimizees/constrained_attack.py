"""A constrained attack as an optimization problem (Zhao et al., AAAI 2020, equations 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from zol2l.errors import require, require_number
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.image_attack import ImageAttack
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.types import Evaluation

AttackLoss = Literal["margin", "cross_entropy"]


class ConstrainedAttack(ImageAttack):
    """f(delta) = max(margin(x + delta), -kappa), delta in the threat model, starting at zero.

    The margin is the goal's, on log-probabilities; with `cross_entropy` f is the log-probability of
    the true class instead, or minus the target's, as PGD is usually run. Points that an estimator
    probes are shown to the victim as they are, not clipped; iterates are projected.

    victim: images (m, C, H, W) -> logits (m, classes). Beside the loss it answers log_likelihood,
    log_rest and log_probabilities. One query is one image classified.
    """

    smoothing = {torch.float32: 1e-3, torch.float64: 1e-3}  # NES-PGD's sigma; ZO-NGD names its own

    def __init__(
        self,
        victim: Callable[[Tensor], Any],
        images: Tensor,
        goal: Goal,
        threat: ThreatModel,
        kappa: float = 0.0,
        loss: AttackLoss = "margin",
    ) -> None:
        super().__init__(victim, images, goal)
        require(loss in get_args(AttackLoss), "loss", loss, "margin or cross_entropy")
        self.loss = loss
        require_number("kappa", kappa, "a margin of at least 0")
        require(kappa >= 0, "kappa", kappa, "a margin of at least 0")
        self.threat, self.kappa = threat, kappa
        self.shape = self.images.shape[1:]
        self.dimension = self.shape.numel()

    def __call__(self, theta: Tensor) -> Evaluation:
        scores, prediction = self.scores(self.clean()[:, None] + theta)
        margin = self.goal.margin(scores)
        log_likelihood = self.goal.log_likelihood(scores)
        loss = margin.clamp(min=-self.kappa)
        if self.loss == "cross_entropy":
            loss = log_likelihood if self.goal.targets is None else -log_likelihood
        return Evaluation(
            loss=loss,
            success=self.goal.achieved(prediction, margin, self.kappa),
            attack_loss=loss,
            distortion=self.threat.size(theta),
            prediction=prediction,
            log_likelihood=log_likelihood,
            log_rest=self.goal.log_rest(scores),
            log_probabilities=scores,
        )

    def project(self, theta: Tensor) -> Tensor:
        return self.threat.project(theta, self.clean())

    def adversarial(self, theta: Tensor) -> Tensor:
        """The images (B, C, H, W) in [0, 1] that the perturbations theta (B, D) stand for."""
        pixels: Tensor = (self.clean() + theta).clamp(0, 1)
        return pixels.view(-1, *self.shape)

    def start(self) -> Tensor:
        return torch.zeros_like(self.clean())

    def clean(self) -> Tensor:
        """The clean images (B, D)."""
        return self.images.flatten(1)

"""The one attack protocol: what every black-box attack takes, and what it gives back."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zol2l.attacks.checkpoint import AttackCheckpoint
from zol2l.chunks import predictions
from zol2l.errors import require_whole
from zol2l.networks.modes import evaluating
from zol2l.optimizees.constrained_attack import AttackLoss, ConstrainedAttack
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.oracle import Oracle, require_affordable
from zol2l.types import Rows

log = logging.getLogger(__name__)

Victim = Callable[[Tensor], Any]
"""Images (m, C, H, W) in [0, 1] -> logits (m, classes), a tensor, an array or a list."""

BLANK = (3, 32, 32)
"""An image to ask what a first step costs, which depends on no image."""


@dataclass(frozen=True)
class AttackResult(Rows):
    """adversarial (B, C, H, W) in [0, 1]; success (B,); queries (B,), the images of each instance
    that the victim classified, all of them; distortion (B,), in the threat model's norm; stopped
    (B,): for these the victim's answer was NaN or inf.

    `queries` of an attack that failed are those it spent: a censored number, not one to average.
    """

    adversarial: Tensor
    success: Tensor
    queries: Tensor
    distortion: Tensor
    stopped: Tensor


class Attack(ABC):
    """attack(victim, images, labels) -> result; `attack.on(victim)(images, labels)` -> images.

    All images are one batch. An image that succeeds, spends its `budget` or makes the victim answer
    NaN leaves it; the others go on. `targets` (B,) make the attack targeted. A network is attacked
    in evaluation mode. Of a victim that answers the same image differently, a success counts where
    `confirm` more looks at it agree; each is a query.
    """

    until_success = True
    """Whether an image leaves at its first success; else it goes on for a lesser distortion."""

    def __init__(
        self,
        threat: ThreatModel,
        budget: int | None = None,
        kappa: float = 0.0,
        chunk: int | None = None,
        seed: int = 0,
        loss: AttackLoss = "margin",
        confirm: int = 0,
    ) -> None:
        if budget is not None:
            require_whole("budget", budget, 1, "at least 1 query an image, or None")
        if chunk is not None:
            require_whole("chunk", chunk, 1, "at least 1 image a call, or None")
        require_whole("confirm", confirm, 0, "at least 0 more looks")
        require_whole("seed", seed, 0, "a whole number, at least 0")
        self.threat, self.budget, self.kappa = threat, budget, kappa
        self.chunk, self.seed, self.loss, self.confirm = chunk, seed, loss, confirm
        self.progress: Callable[[int, int], None] = lambda finished, images: None
        """Told while the attack runs how many of its images have left the batch."""
        self.checkpoint: AttackCheckpoint | None = None
        """Where the attack is kept while it runs, and found again after a kill."""

    @torch.no_grad()
    def __call__(
        self, victim: Victim, images: Tensor, labels: Tensor, targets: Tensor | None = None
    ) -> AttackResult:
        """Attack all images (B, C, H, W) with labels (B,) at once; tensors or arrays."""
        attacked = self._attacked(victim, images, Goal(labels, targets))
        problem, images = self.stated(attacked), attacked.images
        oracle = Oracle(problem, self.budget, self.chunk, self.until_success, self.confirm)
        generator = torch.Generator(images.device).manual_seed(self.seed)
        with evaluating(victim):
            theta = self.search(oracle, problem, generator)
            theta = torch.where(theta.isfinite().all(dim=1, keepdim=True), theta, 0)
            self.progress(len(images), len(images))
            last = oracle.check(theta)
        warn_of_wavering(int(oracle.wavered.sum()), len(images), self.confirm)
        assert last.success is not None
        adversarial = problem.adversarial(theta)
        return AttackResult(
            adversarial=adversarial,
            success=oracle.succeeded | last.success[:, 0].cpu(),
            queries=oracle.loss_queries + oracle.check_queries,
            distortion=self.threat.size((adversarial - images).flatten(1)),
            stopped=oracle.failed,
        )

    def require_budget(self, field: str, of: str) -> None:
        """Refuse a budget, called `field`, that cannot pay for a first step of this attack, called
        `of`, and a look at what it leads to, before there is a victim or an image.
        """
        blank, label = torch.zeros(1, *BLANK), torch.zeros(1, dtype=torch.int64)
        attacked = self._attacked(lambda images: images.flatten(1), blank, Goal(label, None))
        state = self.begin(self.stated(attacked), torch.Generator())
        require_affordable(self.budget, self.cost(state), field, of, confirm=self.confirm)

    def _attacked(self, victim: Victim, images: Tensor, goal: Goal) -> ConstrainedAttack:
        limits = self.threat, self.kappa, self.loss
        return ConstrainedAttack(victim, images, goal, *limits)

    def stated(self, problem: ConstrainedAttack) -> Any:
        """The problem as this attack states it, an optimizee with `adversarial`."""
        return problem

    def search(self, oracle: Oracle, problem: Any, generator: torch.Generator) -> Tensor:
        """Step by step from the start, or from where a kill left the attack, to its end; the
        perturbations theta (B, D) there. An iterate is the first point of each query: the oracle
        stops the instances whose iterate succeeds, and here those that cannot pay for a step.
        """
        state, done = self.begin(problem, generator), 0
        require_affordable(self.budget, self.cost(state), confirm=self.confirm)
        if self.checkpoint is not None:
            state, done = self.checkpoint.restore(state, oracle, generator)
        for step in range(done, self.length):
            oracle.afford(self.cost(state))
            self.progress(int((~oracle.active).sum()), len(oracle.active))
            if not bool(oracle.active.any()):
                break
            state = self.advance(state, step, oracle, problem, generator)
            if self.checkpoint is not None:
                self.checkpoint.save_when_due(state, step + 1, oracle, generator)
        return self.found(state, problem)

    @property
    @abstractmethod
    def length(self) -> int:
        """The most steps that `search` takes."""

    @abstractmethod
    def begin(self, problem: Any, generator: torch.Generator) -> Any:
        """The state before the first step, without a query: tensors in dataclasses and tuples."""

    @abstractmethod
    def cost(self, state: Any) -> int | Tensor:
        """Queries of the next step, a number or (B,)."""

    @abstractmethod
    def advance(
        self, state: Any, step: int, oracle: Oracle, problem: Any, generator: torch.Generator
    ) -> Any:
        """The state after step number `step`."""

    @abstractmethod
    def found(self, state: Any, problem: Any) -> Tensor:
        """The perturbations theta (B, D) of a state."""

    def on(self, victim: Victim) -> Callable[..., Tensor]:
        """Adv = attack.on(victim)(images, labels), as torchattacks' users call an attack; with
        `targets` (B,) as a third argument it is targeted.
        """
        return lambda *given, **named: self(victim, *given, **named).adversarial


def warn_of_wavering(wavered: int, images: int, confirm: int) -> None:
    """Say that the victim has answered differently to the same image, for so many of the images."""
    if wavered:
        log.warning(
            "The victim answers the same image differently: %d of %d images looked fooled and were "
            "not when asked again (confirm=%d; a larger one trusts less)",
            wavered, images, confirm,
        )  # fmt: skip


@dataclass(frozen=True)
class Verified(Rows):
    """What adversarial images are worth, measured without the attack: predicted class (B,), broken
    (B,), whether that is what the goal wanted, and how far pixels leave the threat model
    (outside_ball) and [0, 1] (outside_box), (B,) each, at least 0.
    """

    predicted: Tensor
    broken: Tensor
    outside_ball: Tensor
    outside_box: Tensor


@torch.no_grad()
def inspect(
    adversarial: Tensor, victim: Victim, images: Tensor, goal: Goal, threat: ThreatModel
) -> Verified:
    """Look at adversarial images (B, C, H, W) of the clean `images` once, outside of any attack."""
    with evaluating(victim):
        predicted = predictions(victim, adversarial)
    box = torch.maximum(-adversarial, adversarial - 1).flatten(1).amax(dim=1)
    size = threat.size((adversarial - images).flatten(1).double())
    broken, outside = goal.reached(predicted), (size - threat.eps).clamp(min=0)
    return Verified(predicted, broken, outside, box.clamp(min=0))

"""The transfer attack: what breaks a surrogate is shown to the victim (Papernot et al. 2016)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zol2l.attacks.attack import Attack
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.oracle import Oracle


class TransferAttack(Attack):
    """Attack `surrogate` with `inner` and ask the victim once whether its images break it too.

    The surrogate was trained on the victim's labels; what that cost is not counted here. The goal
    is that of the attack at hand, whatever `inner` was made for.
    """

    def __init__(
        self, inner: Attack, surrogate: nn.Module, threat: ThreatModel, **options: Any
    ) -> None:
        super().__init__(threat, **options)
        self.inner, self.surrogate = inner, surrogate

    @property
    def length(self) -> int:
        return 1

    def begin(self, problem: ConstrainedAttack, generator: torch.Generator) -> Tensor:
        return problem.start()

    def cost(self, state: Tensor) -> int:
        return 0

    def advance(
        self,
        state: Tensor,
        step: int,
        oracle: Oracle,
        problem: ConstrainedAttack,
        generator: torch.Generator,
    ) -> Tensor:
        goal, images = problem.goal, problem.images
        self.inner.progress = self.progress
        self.inner.checkpoint = self.checkpoint and self.checkpoint.nested("surrogate")
        found = self.inner(self.surrogate, images, goal.labels, goal.targets)
        if self.inner.checkpoint is not None:
            self.inner.checkpoint.remove()
        return (found.adversarial - images).flatten(1)

    def found(self, state: Tensor, problem: ConstrainedAttack) -> Tensor:
        return state

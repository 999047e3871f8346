"""Attacks by a zeroth-order optimizer: ZO-NGD, NES-PGD and whatever else is composed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.attacks.attack import Attack
from zol2l.errors import require
from zol2l.estimators import LogOdds
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.optimizer import Optimizer, State
from zol2l.oracle import Oracle


class ZerothOrderAttack(Attack):
    """`optimizer`, projected onto the threat model, for at most `steps` steps.

    Cost of a step: the estimator's, the iterate's own query included; of an image that succeeds at
    its k-th iterate, k steps and one query.
    """

    def __init__(
        self, optimizer: Optimizer, threat: ThreatModel, steps: int = 100, **options: Any
    ) -> None:
        super().__init__(threat, **options)
        require(steps >= 1, "steps", steps, "at least 1")
        information = getattr(getattr(optimizer, "estimator", None), "information", None)
        odds = self.loss == "margin" or not isinstance(information, LogOdds)
        allowed = "margin, which information=log_odds reads as log-odds; or take outer_product"
        require(odds, "loss", self.loss, allowed)
        self.optimizer, self.steps = optimizer.eval(), steps

    @property
    def length(self) -> int:
        return self.steps

    def begin(self, problem: ConstrainedAttack, generator: torch.Generator) -> State:
        start = problem.start()
        return self.optimizer.to(start).init(start)

    def cost(self, state: State) -> int | Tensor:
        return self.optimizer.queries(state)

    def advance(
        self,
        state: State,
        step: int,
        oracle: Oracle,
        problem: ConstrainedAttack,
        generator: torch.Generator,
    ) -> State:
        return self.optimizer.step(state, oracle, generator)[0]

    def found(self, state: State, problem: ConstrainedAttack) -> Tensor:
        return state.theta

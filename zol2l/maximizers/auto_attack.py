"""AutoAttack (Croce & Hein, ICML 2020), where the package torchattacks is installed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zol2l.errors import InvalidInput, require
from zol2l.maximizers.base import Maximized, Maximizer
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem
from zol2l.networks.modes import evaluating

NORMS = {float("inf"): "Linf", 2.0: "L2"}


class AutoAttack(Maximizer):
    """torchattacks' AutoAttack, `version` standard, plus or rand: APGD on the cross-entropy and on
    targeted margins, FAB and Square. It raises losses of its own, whatever the problem's objective
    is, and looks for one image near each that is misclassified. Its random numbers are its own. At
    least 4 classes.
    """

    def __init__(self, classes: int = 10, version: str = "standard", seed: int = 0) -> None:
        super().__init__(steps=0, noise=0.0)
        require(classes >= 4, "classes", classes, "at least 4")
        self.classes, self.version, self.seed = classes, version, seed
        self.outside = _outside()

    def forward(self, problem: InnerProblem, draws: Draws) -> Maximized:
        norm, eps = NORMS[problem.threat.order], problem.threat.eps
        with torch.enable_grad(), evaluating(problem.classifier):
            attack = self.outside(
                problem.classifier, norm, eps, self.version, self.classes, seed=self.seed
            )
            found = attack(problem.images, problem.labels)
        losses = problem.images.new_zeros(0, len(problem))
        return Maximized(problem.project(found).detach()[None], losses)

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Any
    ) -> tuple[Tensor, Any]:
        raise AssertionError("it takes steps of its own")


def _outside() -> Any:
    try:
        from torchattacks import AutoAttack as Outside
    except ImportError as error:
        allowed = "an attack of an optional package: pip install torchattacks"
        raise InvalidInput("attacker.maximizer", "AutoAttack", allowed) from error
    return Outside

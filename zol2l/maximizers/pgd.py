"""Projected gradient ascent by the sign of the gradient (Madry et al., ICLR 2018)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zol2l.errors import require
from zol2l.maximizers.base import NOISE, Maximizer
from zol2l.maximizers.inner_problem import InnerProblem


class PGD(Maximizer):
    """x' <- Pi(x' + rate eps sign(grad L)) (Xiong & Hsieh, equation 3). A coordinate without
    gradient stays where it is: sign(0) = 0 here, as in the code of AdvTrain and TRADES.
    """

    def __init__(self, steps: int = 10, rate: float = 0.25, noise: float = NOISE) -> None:
        super().__init__(steps, noise)
        require(rate > 0, "rate", rate, "a positive step size, in units of eps")
        self.rate = rate

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Any
    ) -> tuple[Tensor, Any]:
        step = self.rate * problem.threat.eps
        return problem.project(point + step * gradient.sign()), state

"""PGD whose step size is found by backtracking for each image (Xiong & Hsieh, equation 4)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.maximizers.base import NOISE, Maximizer
from zol2l.maximizers.inner_problem import InnerProblem

Direction = Literal["sign", "gradient"]


TINY = 1e-30


class BacktrackingPGD(Maximizer):
    """The first of alpha_0, rho alpha_0, rho^2 alpha_0, ... that raises the loss enough:
    L(x'') >= L(x') + c <grad L, x'' - x'> at x'' = Pi(x' + alpha p).

    With p = grad L (`direction="gradient"`), where the projection changes nothing, this is
    equation 4: L(x' + alpha p) >= L(x') + c alpha p^T p. The default p is PGD's, the gradient's
    sign. alpha_0 lets the pixel that moves most move by `rate` eps: gradients of robust classifiers
    are tiny, and differ between images. After `halvings` an image stays where it is, so
    that no step lowers its loss. Each candidate costs a forward pass of the batch.
    """

    def __init__(
        self,
        steps: int = 10,
        rate: float = 1.0,
        rho: float = 0.5,
        c: float = 1e-4,
        halvings: int = 6,
        direction: Direction = "sign",
        noise: float = NOISE,
    ) -> None:
        super().__init__(steps, noise)
        require(rate > 0, "rate", rate, "a positive first step size, in units of eps")
        require(0 < rho < 1, "rho", rho, "between 0 and 1")
        require(0 < c < 1, "c", c, "between 0 and 1")
        require(halvings >= 0, "halvings", halvings, "at least 0")
        known = direction in get_args(Direction)
        require(known, "direction", direction, "sign or gradient")
        self.rate, self.rho, self.c = rate, rho, c
        self.halvings, self.direction = halvings, direction

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Any
    ) -> tuple[Tensor, Any]:
        direction = gradient.sign()
        if self.direction == "gradient":
            direction = gradient / gradient.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=TINY)
        step = self.rate * problem.threat.eps
        found = torch.zeros_like(loss, dtype=torch.bool)
        best = point
        for _ in range(self.halvings + 1):
            candidate = problem.project(point + step * direction)
            promised = (gradient * (candidate - point)).flatten(1).sum(dim=1)
            enough = ~found & (problem.value(candidate) >= loss + self.c * promised)
            best = torch.where(enough.view(-1, 1, 1, 1), candidate, best)
            found = found | enough
            if bool(found.all()):
                break
            step *= self.rho
        return best, state

"""Parts of an optimizer whose randomness a test decides."""

from __future__ import annotations

import torch
from torch import Tensor

from zol2l.sampling import LastStep, QueryRNN, Sampling
from zol2l.types import Directions


class GivenDirections(Sampling):
    """Hands out u (T, B, Q, D), one entry a step; its state counts the steps."""

    def __init__(self, u: Tensor) -> None:
        super().__init__(u.shape[2])
        self.u = u

    def init(self, theta: Tensor) -> Tensor:
        return torch.zeros(len(theta), dtype=torch.int64)

    def forward(
        self, last: LastStep, state: Tensor, generator: torch.Generator
    ) -> tuple[Directions, Tensor]:
        u = self.u[int(state.max())]
        std = torch.ones_like(last.gradient)
        return Directions(u, std, last.gradient.new_zeros(len(u))), state + 1


class GivenNormals(QueryRNN):
    """QueryRNN on given Gaussian draws z (T, B, Q, D), one entry a call."""

    def use(self, z: Tensor) -> GivenNormals:
        self.draws = iter(z)
        return self

    def normal(self, like: Tensor, generator: torch.Generator) -> Tensor:
        return next(self.draws)


def last_step(gradient: Tensor, delta: Tensor | None = None) -> LastStep:
    return LastStep(gradient, torch.zeros_like(gradient) if delta is None else delta)

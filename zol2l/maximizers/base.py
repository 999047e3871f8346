"""The one protocol of inner maximizers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.errors import require
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem

NOISE = 1e-3
"""Standard deviation of the Gaussian start (Xiong & Hsieh, algorithm 1; TRADES)."""


@dataclass(frozen=True)
class Maximized:
    """adversarial (copies, B, C, H, W): allowed images, constants; losses (T, B) of the iterates
    x'_0 ... x'_{T-1} of the first copy; `gain`, a scalar whose derivative by the maximizer's own
    weights is that of the loss it maximizes, and whose value means nothing (None: it learns
    nothing).
    """

    adversarial: Tensor
    losses: Tensor
    gain: Tensor | None = None


@dataclass(frozen=True)
class Trace:
    """The iterates x'_0 ... x'_T (B, C, H, W) with their graph, the losses (T, B) and gradients of
    all but the last, and the state that the first step was given.
    """

    points: list[Tensor]
    losses: Tensor
    slopes: list[Tensor]
    first: Any


class Maximizer(nn.Module, ABC):
    """maximizer(problem, draws) -> Maximized: `steps` moves x'_{t+1} = Pi(x'_t + delta_t) from
    x'_0 = Pi(x + noise N(0, I)). Costs a forward-backward pass a step and what `move` adds.

    Lengths are in units of the radius eps of the threat model.
    """

    def __init__(self, steps: int = 10, noise: float = NOISE) -> None:
        super().__init__()
        require(steps >= 0, "steps", steps, "at least 0")
        require(noise >= 0, "noise", noise, "at least 0, in pixel values")
        self.steps, self.noise = steps, noise

    def forward(self, problem: InnerProblem, draws: Draws) -> Maximized:
        trace = self.trace(problem, draws)
        return Maximized(trace.points[-1].detach()[None], trace.losses)

    def trace(self, problem: InnerProblem, draws: Draws) -> Trace:
        """All steps."""
        points, slopes = [self.start(problem, draws)], []
        first = state = self.begin(problem, draws)
        losses = [problem.images.new_zeros(0, len(problem))]
        for _ in range(self.steps):
            loss, gradient = problem.slope(points[-1])
            point, state = self.move(problem, points[-1], loss, gradient, state)
            points.append(point)
            losses.append(loss[None])
            slopes.append(gradient)
        return Trace(points, torch.cat(losses), slopes, first)

    def start(self, problem: InnerProblem, draws: Draws) -> Tensor:
        """x'_0 (B, C, H, W), the same for all maximizers: it is drawn first."""
        if self.noise == 0:
            return problem.project(problem.images)
        noise = draws.normal(*problem.images.shape[1:]).to(problem.images)
        return problem.project(problem.images + self.noise * noise)

    def begin(self, problem: InnerProblem, draws: Draws) -> Any:
        """What is remembered from step to step."""
        return None

    @abstractmethod
    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Any
    ) -> tuple[Tensor, Any]:
        """x'_{t+1} from x'_t = `point` (B, C, H, W), its loss (B,) and gradient (B, C, H, W)."""


class NoMaximizer(Maximizer):
    """x' = x: plain training, and accuracy on clean images."""

    def __init__(self) -> None:
        super().__init__(steps=0, noise=0.0)

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Any
    ) -> tuple[Tensor, Any]:
        raise AssertionError("it takes no steps")

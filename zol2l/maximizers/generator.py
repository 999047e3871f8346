"""A generator as inner maximizer: L2LDA (Jang et al., ICCV 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.maximizers.base import NOISE, Maximized, Trace
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem
from zol2l.maximizers.learned import LearnedMaximizer
from zol2l.maximizers.unet import PerturbationUNet

COPIES = 2
"""Adversarial images of each image in training, from two codes z."""
TINY = 1e-20


class GeneratorMaximizer(LearnedMaximizer):
    """x' <- Pi(x' + rate eps G(x, g, x' - x, y, z)) with z ~ N(0, I) drawn once for all steps and
    g the gradient, of length 1 in each channel. All steps weigh the same.

    In training each image is attacked twice, from two codes, and the weights also raise
    `diversity` times the mean over steps of ||delta_1 - delta_2||_1 / ||z_1 - z_2||_1, both as
    means over coordinates, in units of eps. Costs a forward-backward pass of the classifier a
    step and copy, and a forward pass of the generator.
    """

    def __init__(
        self,
        channels: int,
        classes: int = 10,
        steps: int = 10,
        rate: float = 0.25,
        diversity: float = 0.5,
        code: int = 8,
        width: int = 64,
        noise: float = NOISE,
    ) -> None:
        super().__init__(steps, noise)
        require(width >= 1, "width", width, "at least 1 channel")
        require(rate > 0, "rate", rate, "a positive step size, in units of eps")
        require(diversity >= 0, "diversity", diversity, "at least 0")
        self.rate, self.diversity, self.codes = rate, diversity, code
        self.generator = PerturbationUNet(channels, classes, code, width)

    def forward(self, problem: InnerProblem, draws: Draws) -> Maximized:
        if not (self.training and torch.is_grad_enabled()):
            return super().forward(problem, draws)
        twice = super().forward(problem.repeated(COPIES), draws.repeated(COPIES))
        copies = twice.adversarial[0].unflatten(0, (COPIES, len(problem)))
        return Maximized(copies, twice.losses[:, : len(problem)], twice.gain)

    def begin(self, problem: InnerProblem, draws: Draws) -> Tensor:
        """The codes z (B, Z)."""
        return draws.normal(self.codes).to(problem.images)

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        length = gradient.flatten(2).norm(dim=2)[:, :, None, None]
        seen = [problem.images, gradient / (length + TINY), point - problem.images]
        update = self.generator(torch.cat(seen, dim=1), problem.labels, state)
        return problem.project(point + self.rate * problem.threat.eps * update), state

    def gain(self, problem: InnerProblem, trace: Trace) -> Tensor:
        """The losses of all copies, summed over steps, and their diversity."""
        one, other = trace.first.chunk(COPIES)
        apart = (one - other).abs().mean(dim=1)
        eps = problem.threat.eps
        spread = [
            (x[: len(one)] - x[len(one) :]).abs().flatten(1).mean(dim=1) / eps / apart
            for x in trace.points[1:]
        ]
        mean = torch.stack(spread).mean()
        return COPIES * super().gain(problem, trace) + self.diversity * mean

    def weight(self, step: int) -> float:
        return 1.0

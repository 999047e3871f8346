"""The learned update of RNN-Adv (Xiong & Hsieh, ECCV 2020, equations 5 to 7)."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from zol2l.errors import require
from zol2l.maximizers.base import NOISE
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem
from zol2l.maximizers.learned import LearnedMaximizer

Normalization = Literal["mean", "max", "none"]
TINY = 1e-20
"""Added to a gradient's size: an image without gradient has input 0."""


class RNNMaximizer(LearnedMaximizer):
    """h <- tanh(U g / |g| + W h), x' <- Pi(x' + scale eps tanh(V h)), each pixel with its own h,
    all with the same weights: U (H, 1), W (H, H), V (1, H), no biases; 120 numbers at H = 10.

    The paper leaves two things open. Raw gradients differ by orders of magnitude between images and
    over training: `normalization` divides by the mean or the maximum of |g| over an image. And
    tanh lies in [-1, 1], far beyond eps: `scale` says what it means, in units of eps. The update
    reads the new h, as equation 5 asks: with the old one, as equation 6 has it, the first gradient
    would move nothing. Weights w_t = t^exponent. Random weights go down the gradient as often as
    up; those that go down are turned round, V <- -V, or the classifier would first learn from the
    images that are easiest for it.
    """

    def __init__(
        self,
        steps: int = 10,
        hidden: int = 10,
        scale: float = 0.5,
        normalization: Normalization = "mean",
        exponent: float = 1.0,
        noise: float = NOISE,
    ) -> None:
        super().__init__(steps, noise)
        require(hidden >= 1, "hidden", hidden, "at least 1")
        require(scale > 0, "scale", scale, "a positive length, in units of eps")
        known = normalization in get_args(Normalization)
        require(known, "normalization", normalization, "mean, max or none")
        self.scale, self.normalization, self.exponent = scale, normalization, exponent
        self.cell = nn.RNNCell(1, hidden, bias=False)
        self.readout = nn.Linear(hidden, 1, bias=False)
        with torch.no_grad():
            if self.reach() < 0:
                self.readout.weight.neg_()

    def begin(self, problem: InnerProblem, draws: Draws) -> Tensor:
        """H = 0, (H, B C H W): a column a pixel, twice as fast on a CPU as a row a pixel."""
        return problem.images.new_zeros(self.cell.hidden_size, problem.images.numel())

    def move(
        self, problem: InnerProblem, point: Tensor, loss: Tensor, gradient: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        update, state = self.update(self.normalized(gradient).reshape(1, -1), state)
        moved = point + self.scale * problem.threat.eps * update.view_as(point)
        return problem.project(moved), state

    def update(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """tanh(V h) (1, N) for normalized gradients (1, N), and the new h (H, N)."""
        state = torch.tanh(self.cell.weight_ih @ inputs + self.cell.weight_hh @ state)
        return torch.tanh(self.readout.weight @ state), state

    def reach(self) -> float:
        """How far all steps move a pixel whose normalized gradient is 1 throughout, in `scale`
        times eps: positive where the update ascends.
        """
        one, moved = self.cell.weight_ih.new_ones(1, 1), 0.0
        state = one.new_zeros(self.cell.hidden_size, 1)
        for _ in range(self.steps):
            update, state = self.update(one, state)
            moved += update.item()
        return moved

    def normalized(self, gradient: Tensor) -> Tensor:
        """The gradient (B, C, H, W) in units of its size in each image."""
        if self.normalization == "none":
            return gradient
        size = gradient.abs().flatten(1)
        size = size.mean(dim=1) if self.normalization == "mean" else size.amax(dim=1)
        return gradient / (size + TINY).view(-1, 1, 1, 1)

    def weight(self, step: int) -> float:
        return float(step**self.exponent)

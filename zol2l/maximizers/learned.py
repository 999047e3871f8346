"""Inner maximizers that learn: the derivative of their objective, at the cost of one more pass."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.maximizers.base import Maximized, Maximizer, Trace
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem


class LearnedMaximizer(Maximizer):
    """A maximizer with weights phi that are to raise sum_t w_t L(x'_t(phi)), t = 1 ... T, averaged
    over images (Xiong & Hsieh, equation 10).

    In training mode its `gain` is sum_t w_t <g_t, x'_t(phi)> / B with all gradients g_t constant:
    the same derivative by phi without a second pass through the classifier. Of these gradients only
    the last, at x'_T, costs a forward-backward pass that no step needs.
    """

    def __init__(self, steps: int, noise: float) -> None:
        super().__init__(steps, noise)
        require(steps >= 1, "steps", steps, "at least 1, for one that learns")

    def forward(self, problem: InnerProblem, draws: Draws) -> Maximized:
        learning = self.training and torch.is_grad_enabled()
        with torch.set_grad_enabled(learning):
            trace = self.trace(problem, draws)
        last = trace.points[-1].detach()
        if not learning:
            return Maximized(last[None], trace.losses)
        return Maximized(last[None], trace.losses, self.gain(problem, trace))

    def gain(self, problem: InnerProblem, trace: Trace) -> Tensor:
        """The scalar whose derivative by phi is that of the objective."""
        slopes = [*trace.slopes, problem.slope(trace.points[-1])[1]]
        steps = range(1, self.steps + 1)
        terms = [self.weight(t) * (slopes[t] * trace.points[t]).sum() for t in steps]
        return torch.stack(terms).sum() / len(problem)

    @abstractmethod
    def weight(self, step: int) -> float:
        """w_t of the loss at x'_t, t = 1 ... T."""

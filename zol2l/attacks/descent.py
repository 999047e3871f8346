"""Where a distortion attack stands: its descent, its search over c, the least distorted success."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zol2l.optimizees.distortion_problem import DistortionProblem
from zol2l.optimizer import State
from zol2l.types import Evaluation, Rows


@dataclass(frozen=True)
class Best(Rows):
    """The least distorted success of each instance so far: delta (B, D) and its length (B,), inf
    where there was none.
    """

    delta: Tensor
    size: Tensor

    @classmethod
    def none(cls, clean: Tensor) -> Best:
        """No success yet, for clean images (B, D)."""
        return cls(torch.zeros_like(clean), clean.new_full((len(clean),), torch.inf))

    def updated(self, delta: Tensor, success: Tensor) -> Best:
        """With the iterates delta (B, D) taken in, of which `success` (B,) succeed."""
        size = torch.linalg.vector_norm(delta, dim=-1)
        return Best(delta, size).where(success & (size < self.size), self)


@dataclass(frozen=True)
class WeightSearch(Rows):
    """The search over c, (B,) each: `weight`, and what is known to be too small or large enough."""

    weight: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def starting(cls, weight: Tensor) -> WeightSearch:
        """Nothing known yet."""
        return cls(weight, torch.zeros_like(weight), torch.full_like(weight, torch.inf))

    def after(self, won: Tensor) -> WeightSearch:
        """The next weights, where a descent with these succeeded for the instances `won` (B,): the
        middle of what is known, or tenfold.
        """
        high = torch.where(won, torch.minimum(self.high, self.weight), self.high)
        low = torch.where(won, self.low, torch.maximum(self.low, self.weight))
        weight = torch.where(high.isinf(), 10 * self.weight, (low + high) / 2)
        return WeightSearch(weight, low, high)


@dataclass(frozen=True)
class Descent:
    """One descent of the search: the optimizer's state, the loss `patience` steps `before` (B,),
    who rests (B,) and who has succeeded in it (B,); the perturbations it has come to, delta (B, D);
    how many descents there were before it, and the step of the attack at which it began.
    """

    optimizer: State
    before: Tensor
    resting: Tensor
    won: Tensor
    delta: Tensor
    best: Best
    search: WeightSearch
    finished: Tensor
    began: Tensor

    def seen(self, problem: DistortionProblem, theta: Tensor, base: Evaluation) -> Descent:
        """With the iterates theta (B, D) taken in, as `base` (n = 1) saw them."""
        assert base.success is not None
        success = base.success[:, 0]
        best = self.best.updated(problem.perturbation(theta[:, None])[:, 0], success)
        return replace(self, best=best, won=self.won | success)

    def rested(self, loss: Tensor, enough: float) -> Descent:
        """Instances rest if `loss` (B,) has not fallen by the share 1 - `enough` of what it was."""
        before = self.before
        wanted = torch.where(before.isinf(), before, before - (1 - enough) * before.abs())
        still = ~(loss < wanted).cpu()
        return replace(self, resting=self.resting | still, before=loss)

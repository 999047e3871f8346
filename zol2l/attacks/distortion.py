"""Attacks that look for the least distortion: C&W, and ZOO, which does so without gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from zol2l.attacks.attack import Attack
from zol2l.attacks.distortion_problem import DistortionProblem
from zol2l.attacks.problem import ConstrainedAttack
from zol2l.attacks.threat_model import ThreatModel
from zol2l.errors import require
from zol2l.optimizees.variable import Variable, resized
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle
from zol2l.types import Evaluation

ENOUGH = 0.9999
"""A descent goes on where the loss has fallen below this share of what it was."""


class DistortionAttack(Attack):
    """`optimizer` descends ||delta||_2^2 + c f(delta); a search over c surrounds it.

    Each of `searches` descents starts anew, for at most `steps` steps; an image rests once its loss
    has not fallen over `patience` steps. After a failure c grows tenfold, or to the middle of what
    is known to be too small and large enough. With `minimize` an image goes on after its success,
    for the least distortion; else it leaves at once, and its queries are those to success.

    `sides` are the sides of the picture that is optimized, from coarse to the last, and `grow_at`
    the steps at which each next one begins (ZOO's hierarchical attack); null: the image's own size.
    Cost of a step: the estimator's.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        threat: ThreatModel,
        steps: int = 1000,
        searches: int = 1,
        c: float = 0.01,
        patience: int = 100,
        tanh: bool = True,
        sides: Sequence[int] | None = None,
        grow_at: Sequence[int] = (),
        minimize: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(threat, **options)
        for name, value in {"steps": steps, "searches": searches, "patience": patience}.items():
            require(value >= 1, f"attack.{name}", value, "at least 1")
        require(c > 0, "attack.c", c, "a weight c > 0")
        grown = all(a < b for a, b in pairwise(grow_at)) and len(grow_at) == len(sides or [0]) - 1
        require(grown, "attack.grow_at", grow_at, "a rising step for each of `sides` but the first")
        self.optimizer, self.steps, self.searches = optimizer.eval(), steps, searches
        self.c, self.patience, self.tanh = c, patience, tanh
        self.sides, self.grow_at, self.minimize = sides, grow_at, minimize
        self.until_success = not minimize

    def stated(self, problem: ConstrainedAttack) -> DistortionProblem:
        weight = problem.images.new_full((problem.instances,), self.c)
        return DistortionProblem(problem, weight, self._variable(problem.shape, 0))

    def search(
        self, oracle: Oracle, problem: DistortionProblem, generator: torch.Generator
    ) -> Tensor:
        low, high = torch.zeros_like(problem.weight), torch.full_like(problem.weight, torch.inf)
        image = problem.variable.image
        best = _Best(problem)
        for _ in range(self.searches):
            problem.become(self._variable(image, 0))
            last, won = self._descend(oracle, problem, generator, best)
            high = torch.where(won, torch.minimum(high, problem.weight), high)
            low = torch.where(won, low, torch.maximum(low, problem.weight))
            problem.weight = torch.where(high.isinf(), 10 * problem.weight, (low + high) / 2)
            if not bool(oracle.active.any()):
                break
        delta = problem.perturbation(last[:, None])[:, 0]
        problem.become(Variable(image, image))
        return torch.where(best.size.isfinite()[:, None], best.delta, delta)

    def _descend(
        self, oracle: Oracle, problem: DistortionProblem, generator: torch.Generator, best: _Best
    ) -> tuple[Tensor, Tensor]:
        """One descent; where it ends (B, D), and which instances succeeded on the way (B,)."""
        state = self.optimizer.init(problem.start())
        won = torch.zeros_like(problem.weight, dtype=torch.bool)
        resting = torch.zeros_like(oracle.active)
        before = torch.full_like(problem.weight, torch.inf)
        for step in range(self.steps):
            if step in self.grow_at:
                state = self.optimizer.init(self._grow(problem, state.theta, step))
            with oracle.only(~resting):
                if not self.can_go_on(oracle, self.optimizer.queries(state)):
                    break
                theta = state.theta
                state, seen = self.optimizer.step(state, oracle, generator)
            base = seen.estimate.base
            won = won | best.update(problem, theta, base)
            if (step + 1) % self.patience == 0:
                loss = base.loss[:, 0]
                resting = resting | ~(loss < ENOUGH * before).cpu()
                before = loss
                if bool((resting | ~oracle.active).all()):
                    break
        return state.theta, won

    def _grow(self, problem: DistortionProblem, theta: Tensor, step: int) -> Tensor:
        """Theta (B, D) on the next larger picture, which the problem takes from here on."""
        old = problem.variable.shape
        problem.become(self._variable(problem.variable.image, list(self.grow_at).index(step) + 1))
        return resized(theta[:, None], old, problem.variable.shape)[:, 0]

    def _variable(self, image: tuple[int, ...], stage: int) -> Variable:
        side = None if self.sides is None else self.sides[stage]
        shape = image if side is None else (image[0], side, side)
        return Variable(tuple(shape), tuple(image), self.tanh)


class _Best:
    """The least distorted success of each instance so far: delta (B, D) and its length (B,)."""

    def __init__(self, problem: DistortionProblem) -> None:
        clean = problem.inner.clean()
        self.delta, self.size = torch.zeros_like(clean), clean.new_full((len(clean),), torch.inf)

    def update(self, problem: DistortionProblem, theta: Tensor, seen: Evaluation) -> Tensor:
        """Take in the iterates theta (B, D) as `seen` (n = 1); who of them succeeds (B,)."""
        assert seen.success is not None
        delta = problem.perturbation(theta[:, None])[:, 0]
        size: Tensor = torch.linalg.vector_norm(delta, dim=-1)
        success = seen.success[:, 0]
        better = success & (size < self.size)
        self.delta = torch.where(better[:, None], delta, self.delta)
        self.size = torch.where(better, size, self.size)
        return success

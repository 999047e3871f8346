"""Attacks that look for the least distortion: C&W, and ZOO, which does so without gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from zol2l.attacks.attack import Attack
from zol2l.attacks.descent import Best, Descent, WeightSearch
from zol2l.errors import require
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.distortion_problem import DistortionProblem
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.optimizees.variable import Variable, resized
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle

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
            require(value >= 1, name, value, "at least 1")
        require(c > 0, "c", c, "a weight c > 0")
        grown = all(a < b for a, b in pairwise(grow_at)) and len(grow_at) == len(sides or [0]) - 1
        require(grown, "grow_at", grow_at, "a rising step for each of `sides` but the first")
        self.optimizer, self.steps, self.searches = optimizer.eval(), steps, searches
        self.c, self.patience, self.tanh = c, patience, tanh
        self.sides, self.grow_at, self.minimize = sides, grow_at, minimize
        self.until_success = not minimize

    def stated(self, problem: ConstrainedAttack) -> DistortionProblem:
        weight = problem.images.new_full((problem.instances,), self.c)
        return DistortionProblem(problem, weight, self._variable(problem.shape, 0))

    @property
    def length(self) -> int:
        return self.searches * self.steps

    def begin(self, problem: DistortionProblem, generator: torch.Generator) -> Descent:
        clean, nobody = problem.inner.clean(), torch.zeros(problem.instances, dtype=torch.bool)
        return Descent(
            optimizer=self.optimizer.to(clean).init(problem.start()),
            before=torch.full_like(problem.weight, torch.inf),
            resting=nobody,
            won=nobody.to(clean.device),
            delta=torch.zeros_like(clean),
            best=Best.none(clean),
            search=WeightSearch.starting(problem.weight),
            finished=torch.tensor(0),
            began=torch.tensor(0),
        )

    def cost(self, state: Descent) -> int | Tensor:
        return self.optimizer.queries(state.optimizer)

    def advance(
        self,
        state: Descent,
        step: int,
        oracle: Oracle,
        problem: DistortionProblem,
        generator: torch.Generator,
    ) -> Descent:
        done = step - int(state.began)
        self._set(problem, state, done)
        if bool((oracle.active & ~state.resting).any()):
            with oracle.only(~state.resting):
                state = self._descend(state, done, oracle, problem, generator)
        going = bool((oracle.active & ~state.resting).any())
        if going and done + 1 < self.steps:
            return state
        return self._next(state, step, oracle, problem, generator)

    def found(self, state: Descent, problem: DistortionProblem) -> Tensor:
        problem.become(Variable(problem.variable.image, problem.variable.image))
        known = state.best.size.isfinite()
        return torch.where(known[:, None], state.best.delta, state.delta)

    def _descend(
        self,
        state: Descent,
        done: int,
        oracle: Oracle,
        problem: DistortionProblem,
        generator: torch.Generator,
    ) -> Descent:
        """One step of a descent after `done` of them."""
        before = state.optimizer
        if done in self.grow_at:
            small = self._variable(problem.variable.image, self._stage(done) - 1).shape
            large = resized(before.theta[:, None], small, problem.variable.shape)
            before = self.optimizer.init(large[:, 0])
        moving = oracle.active.to(state.delta.device)[:, None]
        after, seen = self.optimizer.step(before, oracle, generator)
        state = state.seen(problem, before.theta, seen.estimate.base)
        if (done + 1) % self.patience == 0:
            state = state.rested(seen.estimate.base.loss[:, 0], ENOUGH)
        delta = problem.perturbation(after.theta[:, None])[:, 0]
        return replace(state, optimizer=after, delta=torch.where(moving, delta, state.delta))

    def _next(
        self,
        state: Descent,
        step: int,
        oracle: Oracle,
        problem: DistortionProblem,
        generator: torch.Generator,
    ) -> Descent:
        """The start of the next descent, with other weights; after the last one all stop."""
        if int(state.finished) + 1 == self.searches:
            oracle.stop(torch.ones_like(oracle.active))
        problem.become(self._variable(problem.variable.image, 0))
        return replace(
            self.begin(problem, generator),
            delta=state.delta,
            best=state.best,
            search=state.search.after(state.won),
            finished=state.finished + 1,
            began=torch.tensor(step + 1),
        )

    def _set(self, problem: DistortionProblem, state: Descent, done: int) -> None:
        """Make the problem that of the state, `done` steps into its descent."""
        problem.weight = state.search.weight
        problem.become(self._variable(problem.variable.image, self._stage(done)))

    def _stage(self, done: int) -> int:
        return sum(at <= done for at in self.grow_at)

    def _variable(self, image: tuple[int, ...], stage: int) -> Variable:
        side = None if self.sides is None else self.sides[stage]
        shape = image if side is None else (image[0], side, side)
        return Variable(tuple(shape), tuple(image), self.tanh)

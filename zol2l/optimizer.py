"""An optimizer = sampling x estimator x update, its state, and the one inner loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.estimators import Estimator
from zol2l.machine.memory import require_memory
from zol2l.oracle import Oracle
from zol2l.sampling import LastStep, Sampling
from zol2l.types import Directions, GradientEstimate, Rows
from zol2l.updates import Update

TENSORS_OF_A_STEP = 3
"""Of shape (B, Q, D) at once, at least: the directions, the steps along them and the points."""


@dataclass(frozen=True)
class State(Rows):
    """Where an optimizer stands: the iterate theta (B, D), what the last step left behind, and the
    memories of its sampling rule, estimator and update rule. Weights live in modules, never here.
    """

    theta: Tensor
    last: LastStep
    sampling: Any
    estimator: Any
    update: Any


@dataclass(frozen=True)
class Seen(Rows):
    """What one step saw at the iterate it started from."""

    directions: Directions
    estimate: GradientEstimate


class Optimizer(nn.Module):
    """The protocol of every zeroth-order optimizer, learned or designed by hand."""

    @abstractmethod
    def init(self, theta: Tensor) -> State:
        """The state at the start point theta (B, D)."""

    @abstractmethod
    def queries(self, state: State) -> int | Tensor:
        """Loss queries of the next step from `state`: a number for all instances, or (B,) on the
        CPU. Stopped instances have an older state; what theirs would cost does not matter.
        """

    @abstractmethod
    def step(self, state: State, oracle: Oracle, generator: torch.Generator) -> tuple[State, Seen]:
        """One step of all active instances; stopped ones keep their state."""


class ComposedOptimizer(Optimizer):
    """theta <- project(theta + update(estimator(f, theta, sampling()))).

    Cost: what the estimator says for the sampling rule's Q directions.
    """

    def __init__(self, sampling: Sampling, estimator: Estimator, update: Update) -> None:
        super().__init__()
        self.sampling, self.estimator, self.update = sampling, estimator, update

    def init(self, theta: Tensor) -> State:
        self._require_memory(theta)
        zeros = torch.zeros_like(theta)
        memories = (part.init(theta) for part in (self.sampling, self.estimator, self.update))
        return State(theta, LastStep(zeros, zeros), *memories)

    def queries(self, state: State) -> int | Tensor:
        return self.estimator.queries(self.sampling.directions, state.estimator)

    def step(self, state: State, oracle: Oracle, generator: torch.Generator) -> tuple[State, Seen]:
        directions, sampling = self.sampling(state.last, state.sampling, generator)
        estimate, estimator = self.estimator(
            oracle, state.theta, directions, state.estimator, generator
        )
        delta, update = self.update(estimate, state.update)
        theta = oracle.optimizee.project(state.theta + delta)
        last = LastStep(estimate.gradient.detach(), delta.detach())
        moved = State(theta, last, sampling, estimator, update)
        if not bool(oracle.active.all()):
            moved = moved.where(oracle.active.to(theta.device), state)
        return moved, Seen(directions, estimate)

    def _require_memory(self, theta: Tensor) -> None:
        """Refuse a dimension for which a step's directions and points do not fit into memory. A GPU
        has its own, and says so itself.
        """
        if theta.device.type != "cpu":
            return
        (instances, dimension), count = theta.shape, self.sampling.directions
        needed = TENSORS_OF_A_STEP * count * theta.numel() * theta.element_size()
        what = f"{count} directions for each of {instances} instances and the points along them"
        remedy = "take fewer of either (or fewer trials), or a smaller dimension"
        require_memory(needed, "dimension", dimension, what, remedy)


def iterate(
    optimizer: Optimizer, oracle: Oracle, state: State, steps: int, generator: torch.Generator
) -> Iterator[tuple[State, Seen]]:
    """The one inner loop: step until `steps`, or until no instance can pay for a further step.

    Yields the state after each step and what the step saw at the iterate before it. Evaluation
    records it, meta-training differentiates it.
    """
    for _ in range(steps):
        oracle.afford(optimizer.queries(state))
        if not bool(oracle.active.any()):
            return
        oracle.begin_step(generator)
        state, seen = optimizer.step(state, oracle, generator)
        yield state, seen

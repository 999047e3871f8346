"""Problems for tests: a linear function, a power, and wrappers that record, break and bound."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from zol2l.optimizees import Quadratic
from zol2l.types import Evaluation, Optimizee


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """The same numbers for every dtype, up to rounding."""
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def quadratic(instances: int, dimension: int, dtype: torch.dtype = torch.float64) -> Quadratic:
    """Curvatures in [1/2, 1], optima N(0, I): a different function for each instance."""
    shape = (instances, dimension)
    curvature = 0.5 + 0.5 * torch.rand(shape, generator=seeded(1), dtype=torch.float64)
    return Quadratic(curvature.to(dtype), normal(*shape, seed=2, dtype=dtype))


class Linear(Optimizee):
    """f_b(theta) = <slope_b, theta>, started at `theta0`."""

    def __init__(self, slope: Tensor, theta0: Tensor | None = None) -> None:
        self.slope, self.theta0 = slope, torch.zeros_like(slope) if theta0 is None else theta0
        self.instances, self.dimension = slope.shape
        self.smoothing = {torch.float32: 1e-2, torch.float64: 1e-4}

    def __call__(self, theta: Tensor) -> Evaluation:
        return Evaluation((theta * self.slope[:, None]).sum(dim=-1))

    def start(self) -> Tensor:
        return self.theta0.clone()

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(self.slope[rows], self.theta0[rows])


@dataclass(frozen=True)
class Call:
    """One call of an optimizee: the instances (b,), the points (b, n, D) and the minibatch."""

    rows: Tensor
    theta: Tensor
    samples: Tensor | None


class Wrapper(Optimizee):
    """Hands everything on to `inner`; rows are numbered as in the full batch."""

    def __init__(self, inner: Optimizee) -> None:
        self.inner, self.rows = inner, torch.arange(inner.instances)
        self.instances, self.dimension = inner.instances, inner.dimension
        self.smoothing, self.stochastic = inner.smoothing, inner.stochastic

    def __call__(self, theta: Tensor) -> Evaluation:
        return self.inner(theta)

    def start(self) -> Tensor:
        return self.inner.start()

    def project(self, theta: Tensor) -> Tensor:
        return self.inner.project(theta)

    def _around(self, inner: Optimizee, rows: Tensor) -> Self:
        part = copy.copy(self)
        part.inner, part.rows, part.instances = inner, rows, inner.instances
        return part

    def __getitem__(self, rows: Any) -> Self:
        return self._around(self.inner[rows], self.rows[rows])

    def at_step(self, generator: torch.Generator) -> Self:
        return self._around(self.inner.at_step(generator), self.rows)


class Recorded(Wrapper):
    """Keeps every call; `counts` is the ground truth that an oracle's counters must match."""

    def __init__(self, inner: Optimizee) -> None:
        super().__init__(inner)
        self.calls: list[Call] = []

    def __call__(self, theta: Tensor) -> Evaluation:
        samples = getattr(self.inner, "samples", None)
        self.calls.append(Call(self.rows.clone(), theta.clone(), samples))
        return self.inner(theta)

    def counts(self, instances: int) -> Tensor:
        """Points evaluated per instance."""
        total = torch.zeros(instances, dtype=torch.int64)
        for call in self.calls:
            points = torch.full_like(call.rows, call.theta.shape[1])
            total.index_add_(0, call.rows, points)
        return total


class Breaking(Wrapper):
    """Returns `value` for instance `row` at point `point` of every call from step `step` on."""

    def __init__(
        self, inner: Optimizee, row: int, step: int, value: float = torch.nan, point: int = -1
    ) -> None:
        super().__init__(inner)
        self.row, self.step, self.value, self.point = row, step, value, point
        self.clock = [0]

    def __call__(self, theta: Tensor) -> Evaluation:
        loss = self.inner(theta).loss.clone()
        if self.clock[0] >= self.step:
            loss[self.rows == self.row, min(self.point, loss.shape[1] - 1)] = self.value
        return Evaluation(loss)

    def at_step(self, generator: torch.Generator) -> Self:
        self.clock[0] += 1
        return super().at_step(generator)


class Boxed(Wrapper):
    """Feasible set [-bound, bound]^D."""

    bound = 0.25

    def project(self, theta: Tensor) -> Tensor:
        return theta.clamp(-self.bound, self.bound)

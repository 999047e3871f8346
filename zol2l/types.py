"""The vocabulary of shapes: B instances, D dimensions, Q directions, n query points per instance.

Nothing in the library sums over B: an instance never influences another.
"""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self, TypeVar, cast

import torch
from torch import Tensor

T = TypeVar("T")


def map_tensors(fn: Callable[..., Tensor], first: T, *others: T) -> T:
    """Apply `fn` to matching tensors of nested dataclasses and tuples; None stays None."""
    node: Any = first
    if isinstance(node, Tensor):
        return fn(node, *others)  # type: ignore[return-value]
    if isinstance(node, tuple):
        return tuple(map_tensors(fn, *items) for items in zip(node, *others, strict=True))  # type: ignore[return-value]
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        names = [field.name for field in dataclasses.fields(node)]
        parts = {k: map_tensors(fn, *(getattr(x, k) for x in (node, *others))) for k in names}
        return cast(T, dataclasses.replace(node, **parts))
    return first


class Rows:
    """A frozen dataclass of tensors that share the leading axis B."""

    def map(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Apply `fn` to every tensor."""
        return map_tensors(fn, self)

    def detach(self) -> Self:
        """Cut the graph: the end of a truncation window."""
        return self.map(Tensor.detach)

    def __getitem__(self, rows: Any) -> Self:
        """The chosen instances."""
        return self.map(lambda x: x[rows])

    @classmethod
    def cat(cls, parts: list[Self]) -> Self:
        """Join batches of instances along B."""
        return map_tensors(lambda *xs: torch.cat(xs), *parts)

    def where(self, keep: Tensor, other: Self) -> Self:
        """Rows of `self` where `keep` (B,) holds, rows of `other` elsewhere."""

        def pick(mine: Tensor, theirs: Tensor) -> Tensor:
            return torch.where(keep.view(-1, *[1] * (mine.ndim - 1)), mine, theirs)

        return map_tensors(pick, self, other)


@dataclass(frozen=True)
class Evaluation(Rows):
    """What a black box answered at n points per instance.

    loss (B, n); where they exist: success (B, n) bool, attack_loss (B, n), distortion (B, n),
    prediction (B, n), the class that a victim chose, log_likelihood (B, n) of the class that an
    attack changes, log_rest (B, n) of all others together, and log_probabilities (B, n, classes).
    """

    loss: Tensor
    success: Tensor | None = None
    attack_loss: Tensor | None = None
    distortion: Tensor | None = None
    prediction: Tensor | None = None
    log_likelihood: Tensor | None = None
    log_rest: Tensor | None = None
    log_probabilities: Tensor | None = None

    def points(self, which: slice) -> Evaluation:
        """The same instances at some of their points."""
        return self.map(lambda x: x[:, which])

    def split(self, *counts: int) -> list[Evaluation]:
        """The first so many points, the next so many, ..., as evaluations of their own."""
        ends = list(accumulate(counts))
        return [self.points(slice(e - n, e)) for n, e in zip(counts, ends, strict=True)]


@dataclass(frozen=True)
class Directions(Rows):
    """Query directions u (B, Q, D), the standard deviation (B, D) they were drawn with, the
    sampling rule's regularizer (B,), zero for rules that learn nothing, and the standard deviation
    (B, D) that a learned rule predicted, whether it was used or not.

    Estimators look at theta + mu reach u: where all u have one length, reach = 1 / length makes mu
    the distance of the probes; Gaussian directions leave it at 1, as the literature's mu does.
    """

    u: Tensor
    std: Tensor
    penalty: Tensor
    reach: float = 1.0
    predicted: Tensor | None = None

    @classmethod
    def standard(cls, u: Tensor, reach: float = 1.0) -> Directions:
        """Directions with E[u u^T] = I, of a rule that learns nothing."""
        return cls(u, torch.ones_like(u[:, 0]), u.new_zeros(len(u)), reach)


@dataclass(frozen=True)
class GradientEstimate(Rows):
    """Estimated gradient (B, D) of the loss and the evaluation (n = 1) of the iterate itself.

    `score` (B, K, D), where an estimator makes it: sqrt(w_k) grad log p_k for outcomes k of weight
    w_k, so that the Fisher information is score^T score.
    """

    gradient: Tensor
    base: Evaluation
    score: Tensor | None = None


class Optimizee(ABC):
    """A batch of B functions of D variables, known only by their values."""

    instances: int
    """B"""
    dimension: int
    """D"""
    smoothing: Mapping[torch.dtype, float]
    """The default smoothing parameter mu for each dtype."""
    stochastic: bool = False
    """Whether values depend on a minibatch drawn each step."""

    @abstractmethod
    def __call__(self, theta: Tensor) -> Evaluation:
        """Evaluate theta (B, n, D); one query per instance and point."""

    @abstractmethod
    def start(self) -> Tensor:
        """The start point (B, D) in the problem's dtype, the same for every method."""

    @abstractmethod
    def __getitem__(self, rows: Any) -> Self:
        """The chosen instances as an optimizee of their own."""

    def to(self, device: torch.device) -> Self:
        """The same problems on a device: every tensor that is an attribute, or in a tuple or
        dataclass that is one. What else a problem consists of is its family's to move.
        """
        moved = copy.copy(self)
        for name, value in vars(self).items():
            setattr(moved, name, map_tensors(lambda x: x.to(device), value))
        return moved

    def project(self, theta: Tensor) -> Tensor:
        """The nearest feasible point to theta (B, D); the whole space unless overridden."""
        return theta

    def at_step(self, generator: torch.Generator) -> Self:
        """This optimizee on a fresh minibatch, shared by all queries of one step."""
        return self

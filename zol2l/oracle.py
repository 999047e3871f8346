"""The oracle: the only door to function values. It counts, enforces the budget, splits calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from zol2l.chunks import points_per_call
from zol2l.errors import InvalidInput, require, require_whole
from zol2l.meta_gradient import MetaGradient
from zol2l.types import Evaluation, Optimizee

MISSING = {torch.bool: False, torch.int64: -1}
"""What a stopped row holds: no success, no predicted class; NaN in every floating-point field."""

COUNTERS = ("loss_queries", "check_queries", "active", "failed", "succeeded", "wavered")


class Oracle:
    """Counted and budgeted access to an optimizee of B instances.

    `loss_queries` (B,) counts the points an optimizer asked for, `check_queries` (B,) the looks at
    an iterate that no optimizer asked for (the last one; the full loss of a stochastic problem).
    A hard `budget` per instance bounds its loss queries plus the one check of its last iterate, in
    all runs that share the oracle. An instance that returns NaN or inf is stopped and never called
    again; the others go on.
    With `until_success` so is an instance whose iterate, the first point of a query, succeeds: the
    rest of that query is neither evaluated nor counted. An iterate's success counts where `confirm`
    more looks at it agree, each a query; `wavered` (B,) tells where one did not. A call has at most
    `chunk` points (None: as many as stay in cache).
    """

    def __init__(
        self,
        optimizee: Optimizee,
        budget: int | None = None,
        chunk: int | None = None,
        until_success: bool = False,
        confirm: int = 0,
    ) -> None:
        if budget is not None:
            require_whole("budget", budget, 1, "at least 1 query per instance, or None")
        if chunk is not None:
            require_whole("chunk", chunk, 1, "at least 1 evaluation per call, or None")
        require_whole("confirm", confirm, 0, "at least 0 more looks")
        size = optimizee.instances, optimizee.dimension
        require(min(size) >= 1, "(B, D)", size, "at least one instance and one variable")
        self.optimizee = self._current = optimizee
        self.budget, self.chunk, self.until_success = budget, chunk, until_success
        self.confirm = confirm
        nobody = torch.zeros(optimizee.instances, dtype=torch.bool)
        self.loss_queries = torch.zeros(optimizee.instances, dtype=torch.int64)
        self.check_queries = torch.zeros(optimizee.instances, dtype=torch.int64)
        self.active, self.failed, self.succeeded, self.wavered = ~nobody, nobody, nobody, nobody
        self._kind = Evaluation(torch.empty(()), success=torch.tensor(False))
        """What the optimizee answers at a point, as far as that is known."""

    def begin_step(self, generator: torch.Generator) -> None:
        """Draw the step's minibatch; all queries until the next call use it."""
        self._current = self.optimizee.at_step(generator)

    def query(self, theta: Tensor) -> Evaluation:
        """Evaluate theta (B, n, D) at n loss queries per active instance; stopped rows are NaN.

        An instance whose budget cannot pay for n points and the check of its last iterate is
        stopped instead of being evaluated.
        """
        self.afford(theta.shape[1])
        if not (self.until_success or self.confirm):
            return self._count(theta, self.active)
        iterate = theta[:, :1]
        first = self._confirmed(lambda rows: self._count(iterate, rows), self.active)
        if first.success is None:
            name = type(self.optimizee).__name__
            raise InvalidInput("optimizee", name, "a problem that answers success")
        if self.until_success:
            self.succeeded = self.succeeded | (self.active & first.success[:, 0].cpu())
            self.stop(self.succeeded)
        if theta.shape[1] == 1:
            return first
        return join_points([first, self._count(theta[:, 1:], self.active)])

    def check(self, theta: Tensor) -> Evaluation:
        """Look at the iterates theta (B, D), one check query for each instance that has not failed
        or been seen to succeed, and can pay for it; the full loss if the problem is stochastic,
        which no budget pays for.
        """
        unknown = ~(self.failed | self.succeeded)
        if self.budget is not None and not self.optimizee.stochastic:
            unknown = unknown & (self.spent() + price(0, self.confirm) <= self.budget)
        return self._confirmed(lambda rows: self._look(theta[:, None], rows), unknown)

    def spent(self) -> Tensor:
        """What each instance (B,) has paid of its budget."""
        free = self.optimizee.stochastic
        return self.loss_queries if free else self.loss_queries + self.check_queries

    def differentiate(self, theta: Tensor, gradient: MetaGradient) -> tuple[Tensor, Tensor]:
        """Value (B,) and derivative (B, D) of the step's problem at theta (B, D), for training: no
        optimizer's query. Stopped rows are NaN and 0; a value of NaN or inf stops its instance.
        """
        if bool(self.active.all()):
            value, derivative = gradient(self._current, theta)
        else:
            rows = self.active.nonzero()[:, 0].to(theta.device)
            value, derivative = _missing(theta[:, 0].detach()), torch.zeros_like(theta.detach())
            value[rows], derivative[rows] = gradient(self._current[rows], theta[rows])
        broken = ~value.isfinite()
        self.failed = self.failed | (self.active & broken.cpu())
        self.stop(self.failed)
        return torch.where(broken, torch.nan, value), derivative.nan_to_num(0.0, 0.0, 0.0)

    def afford(self, points: int | Tensor) -> None:
        """Stop the instances that cannot pay for `points` more loss queries, a number or (B,)."""
        if self.budget is not None:
            self.stop(self.spent() + price(points, self.confirm) > self.budget)

    def stop(self, rows: Tensor) -> None:
        """Evaluate the instances of the mask `rows` (B,) no more."""
        self.active = self.active & ~rows

    @contextmanager
    def only(self, rows: Tensor) -> Iterator[None]:
        """Within the block the instances outside the mask `rows` (B,) rest, as if stopped."""
        resting = self.active & ~rows
        self.stop(resting)
        try:
            yield
        finally:
            self.active = self.active | resting

    def counters(self) -> tuple[Tensor, ...]:
        """All that a run changes here, to be saved."""
        return tuple(getattr(self, name) for name in COUNTERS)

    def set_counters(self, counters: tuple[Tensor, ...]) -> None:
        """Go on from saved `counters`."""
        for name, value in zip(COUNTERS, counters, strict=True):
            setattr(self, name, value)

    def _count(self, theta: Tensor, rows: Tensor) -> Evaluation:
        self.loss_queries = self.loss_queries + theta.shape[1] * rows
        return self._evaluate(self._current, theta, rows)

    def _look(self, theta: Tensor, rows: Tensor) -> Evaluation:
        self.check_queries = self.check_queries + rows
        return self._evaluate(self.optimizee, theta, rows)

    def _confirmed(self, look: Callable[[Tensor], Evaluation], rows: Tensor) -> Evaluation:
        """What the instances `rows` (B,) answer to one `look` (n = 1), with the success of those
        that `confirm` further looks find successful too.
        """
        seen = look(rows)
        for _ in range(self.confirm if seen.success is not None else 0):
            assert seen.success is not None
            won = rows & seen.success[:, 0].cpu()
            if not bool(won.any()):
                break
            again = look(won).success
            assert again is not None
            self.wavered = self.wavered | (won & ~again[:, 0].cpu())
            seen = replace(seen, success=seen.success & again)
        return seen

    def _evaluate(self, optimizee: Optimizee, theta: Tensor, mask: Tensor) -> Evaluation:
        if bool(mask.all()):
            evaluation = evaluate_in_chunks(optimizee, theta, self.chunk)
        elif not bool(mask.any()):  # no call for nobody: the victim would be shown no image
            evaluation = self._kind.map(lambda x: _missing(x.expand(*theta.shape[:2], *x.shape)))
        else:
            rows = mask.nonzero()[:, 0].to(theta.device)
            evaluation = self._evaluate_rows(optimizee, theta, rows)
        self._kind = evaluation.map(lambda x: x[0, 0].detach().clone())
        broken = ~evaluation.loss.isfinite()
        self.failed = self.failed | (mask & broken.any(dim=1).cpu())
        self.stop(self.failed)
        if bool(broken.any()):  # an inf becomes NaN, and with it all that is known of the point
            evaluation = evaluation.map(
                lambda x: torch.where(
                    broken.view(*broken.shape, *[1] * (x.ndim - 2)), _missing(x), x
                )
            )
        return evaluation

    def _evaluate_rows(self, optimizee: Optimizee, theta: Tensor, rows: Tensor) -> Evaluation:
        part = evaluate_in_chunks(optimizee[rows], theta[rows], self.chunk)

        def scatter(values: Tensor) -> Tensor:
            full = _missing(values.new_empty((len(theta), *values.shape[1:])))
            full[rows] = values
            return full

        return part.map(scatter)


def _missing(values: Tensor) -> Tensor:
    return torch.full_like(values, MISSING.get(values.dtype, torch.nan))


def _asked(optimizee: Optimizee, theta: Tensor) -> Evaluation:
    """What an optimizee answers to theta (B, n, D), in theta's type and in memory of its own: a
    function may give the same buffer each time.
    """
    seen = optimizee(theta)
    name, shape = type(optimizee).__name__, tuple(theta.shape[:2])
    evaluated = isinstance(seen, Evaluation) and seen.loss.shape == shape
    allowed = f"must answer an Evaluation with a loss for each instance and point, {shape}"
    require(evaluated, "optimizee", name, allowed)
    return seen.map(lambda x: x.to(theta.dtype if x.is_floating_point() else x.dtype, copy=True))


def price(points: int | Tensor, confirm: int = 0) -> int | Tensor:
    """The most that a step of so many points may cost, a number or (B,): with `confirm` looks at
    its iterate, should it succeed, and the check of the iterate that it leads to. Of no points,
    that check.
    """
    return 1 + confirm + (points > 0) * (points + confirm)


def require_affordable(
    budget: int | None,
    first_step: int | Tensor,
    field: str = "budget",
    of: str = "",
    *,
    already: int = 0,
    confirm: int = 0,
) -> None:
    """Refuse a budget, called `field`, of which `already` is spent, if the rest cannot pay for the
    queries of a first step `of` some method and the check of the iterate it leads to.
    """
    cost = int(torch.as_tensor(price(first_step, confirm)).max())
    whose = f" of {of}" if of else ""
    affordable = budget is None or budget - already >= cost
    told = f"{already} are spent: make a new Oracle, or leave " if already else ""
    allowed = f"{told}at least one step{whose} and a check, {cost} queries"
    require(affordable, field, budget, allowed)


def evaluate_in_chunks(optimizee: Optimizee, theta: Tensor, chunk: int | None) -> Evaluation:
    """Evaluate theta (B, n, D) in calls of at most `chunk` points, over instances, then points;
    None: of as many as stay in cache.
    """
    instances, points, dimension = theta.shape
    chunk = chunk or points_per_call(dimension, theta.device)
    if instances * points <= chunk:
        return _asked(optimizee, theta)
    if points > chunk:
        parts = [evaluate_in_chunks(optimizee, t, chunk) for t in theta.split(chunk, dim=1)]
        return join_points(parts)
    size = chunk // points
    starts = range(0, instances, size)
    return Evaluation.cat([_asked(optimizee[i : i + size], theta[i : i + size]) for i in starts])


def join_points(parts: list[Evaluation]) -> Evaluation:
    """Evaluations of the same instances at some points each as one, at all of them."""
    turned = [part.map(lambda x: x.transpose(0, 1)) for part in parts]
    return Evaluation.cat(turned).map(lambda x: x.transpose(0, 1))

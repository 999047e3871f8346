"""Run an optimizer on a batch of problems and record its trajectory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.optimizer import Optimizer, iterate
from zol2l.oracle import Oracle
from zol2l.run_checkpoint import RunCheckpoint
from zol2l.trajectory import Recorder, Trajectory


@torch.no_grad()
def run(
    optimizer: Optimizer,
    oracle: Oracle,
    steps: int,
    generator: torch.Generator,
    *,
    recorder: Recorder | None = None,
    checkpoint: RunCheckpoint | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> Trajectory:
    """Run `optimizer` for `steps` steps from the optimizee's start point and record every iterate.

    The value of an iterate is the one its own step used, so recording is free; only the last
    iterate, and every iterate of a stochastic problem (on the full data), cost a check query.
    With a `checkpoint`, a run that was killed goes on where it was last saved, exactly.
    """
    require(steps >= 1, "steps", steps, "at least 1")
    start = oracle.optimizee.start()
    optimizer.eval().to(start)
    recorder = recorder or Recorder()
    state = optimizer.init(start)
    require_affordable(optimizer, start, oracle.budget, already=int(oracle.spent().max()))
    if checkpoint is not None:
        state = checkpoint.restore(state, oracle, recorder, generator)
    done, before = len(recorder.columns), (oracle.loss_queries, oracle.failed)
    for after, seen in iterate(optimizer, oracle, state, steps - done, generator):
        stochastic = oracle.optimizee.stochastic
        base = oracle.check(state.theta) if stochastic else seen.estimate.base
        recorder.add(state, base, *before)
        state, before = after, (oracle.loss_queries, oracle.failed)
        progress(len(recorder.columns))
        if checkpoint is not None:
            checkpoint.save_when_due(state, oracle, recorder, generator)
    recorder.add(state, oracle.check(state.theta), *before)
    return recorder.trajectory()


def require_affordable(
    optimizer: Optimizer,
    theta: Tensor,
    budget: int | None,
    field: str = "budget",
    already: int = 0,
) -> None:
    """Refuse a budget, called `field`, of which `already` is spent, if the rest cannot pay for the
    first step from theta (B, D) and the check of the iterate it leads to.
    """
    first = torch.as_tensor(optimizer.queries(optimizer.init(theta)))
    cost = int(first.max()) + 1
    affordable = budget is None or budget - already >= cost
    told = f"{already} are spent: make a new Oracle, or leave " if already else ""
    require(affordable, field, budget, f"{told}at least one step and a check, {cost} queries")

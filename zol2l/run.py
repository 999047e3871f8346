"""Run an optimizer on a batch of problems and record its trajectory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.optimizer import Optimizer, iterate
from zol2l.oracle import Oracle, require_affordable
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
    The optimizer's weights take the type and the device of the start point. An oracle that was used
    before counts on; it is refused where its budget cannot pay for a step any more.
    With a `checkpoint`, a run that was killed goes on where it was last saved, exactly.
    """
    require(steps >= 1, "steps", steps, "at least 1")
    start = oracle.optimizee.start()
    optimizer.eval().to(start)
    already, confirm = int(oracle.spent().max()), oracle.confirm
    first = first_step(optimizer, start)
    require_affordable(oracle.budget, first, already=already, confirm=confirm)
    recorder = recorder or Recorder()
    state = optimizer.init(start)
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


def first_step(optimizer: Optimizer, theta: Tensor) -> int | Tensor:
    """What the first step from theta (B, D) costs, a number of queries or (B,)."""
    return optimizer.queries(optimizer.init(theta))

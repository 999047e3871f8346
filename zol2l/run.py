"""Run an optimizer on a batch of problems, record its trajectory, and survive a kill."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from zol2l.errors import require_whole
from zol2l.optimizer import Optimizer, State, iterate
from zol2l.oracle import Oracle, require_affordable
from zol2l.storage.checkpoint import Checkpoint, Trees
from zol2l.storage.tensor_files import restore_stream, unflatten
from zol2l.trajectory import Recorder, Trajectory


class Saved(NamedTuple):
    """What a run is put back to."""

    state: State
    counters: tuple[Tensor, ...]
    columns: list[Trajectory]
    iterates: list[Tensor]
    stream: Tensor


class RunCheckpoint(Checkpoint):
    """A run in progress on disk: state, counters, records and the random stream."""

    def save_when_due(
        self, state: State, oracle: Oracle, recorder: Recorder, generator: torch.Generator
    ) -> None:
        """Save if `every_seconds` have passed since the last time."""
        if self.due():
            self.save(
                state=state,
                oracle=oracle.counters(),
                records=recorder.trajectory(),
                iterates=tuple(recorder.iterates),
                generator=generator.get_state(),
            )

    def restore(
        self, start: State, oracle: Oracle, recorder: Recorder, generator: torch.Generator
    ) -> State:
        """Put everything back as it was saved; without a file, the start state."""
        saved = self.load(lambda trees: _saved(trees, start, oracle.counters()))
        if saved is None:
            return start
        restore_stream(generator, saved.stream)
        oracle.set_counters(saved.counters)
        recorder.columns, recorder.iterates = saved.columns, saved.iterates
        return saved.state


def _saved(trees: Trees, start: State, counters: tuple[Tensor, ...]) -> Saved:
    records = Trajectory(*(trees["records"][i] for i in sorted(trees["records"])))
    by_column = records.map(lambda x: x.transpose(0, 1))
    return Saved(
        state=unflatten(start, trees["state"]),
        counters=unflatten(counters, trees["oracle"]),
        columns=[by_column[i] for i in range(len(by_column.loss))],
        iterates=[trees["iterates"][i] for i in sorted(trees["iterates"])],
        stream=trees["generator"]["00000"],
    )


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
    require_whole("steps", steps, 1, "at least 1")
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

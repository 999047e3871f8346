"""A run in progress on disk, so that a kill loses seconds."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from zol2l.checkpoint import Checkpoint, Trees
from zol2l.optimizer import State
from zol2l.oracle import Oracle
from zol2l.tensor_files import restore_stream, unflatten
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

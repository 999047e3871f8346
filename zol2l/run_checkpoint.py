"""A run in progress on disk, so that a kill loses seconds."""

from __future__ import annotations

import torch

from zol2l.checkpoint import Checkpoint
from zol2l.optimizer import State
from zol2l.oracle import Oracle
from zol2l.tensor_files import restore_stream, unflatten
from zol2l.trajectory import Recorder, Trajectory


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
        saved = self.load()
        if saved is None:
            return start
        oracle.set_counters(unflatten(oracle.counters(), saved["oracle"]))
        records = Trajectory(*(saved["records"][i] for i in sorted(saved["records"])))
        by_column = records.map(lambda x: x.transpose(0, 1))
        recorder.columns = [by_column[i] for i in range(len(by_column.loss))]
        recorder.iterates = [saved["iterates"][i] for i in sorted(saved["iterates"])]
        restore_stream(generator, saved["generator"]["00000"])
        return unflatten(start, saved["state"])

"""A run in progress on disk, so that a kill loses seconds."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor

from zol2l.optimizer import State
from zol2l.oracle import Oracle
from zol2l.resume import flatten, load_tensors, save_tensors, unflatten
from zol2l.trajectory import Recorder, Trajectory


class RunCheckpoint:
    """A run in progress on disk: state, counters, records and the random stream, in safetensors."""

    def __init__(self, path: Path, every_seconds: float = 20.0) -> None:
        self.path, self.every_seconds = path, every_seconds
        self._saved_at = time.monotonic()

    def save_when_due(
        self, state: State, oracle: Oracle, recorder: Recorder, generator: torch.Generator
    ) -> None:
        """Save if `every_seconds` have passed since the last time."""
        if time.monotonic() - self._saved_at < self.every_seconds:
            return
        parts = {"state": state, "oracle": oracle.counters(), "records": recorder.trajectory()}
        tensors = {f"{k}/{i}": x for k, part in parts.items() for i, x in flatten(part).items()}
        tensors |= {f"iterates/{i:05d}": x for i, x in enumerate(recorder.iterates)}
        save_tensors(self.path, tensors | {"generator/": generator.get_state()})
        self._saved_at = time.monotonic()

    def restore(
        self, start: State, oracle: Oracle, recorder: Recorder, generator: torch.Generator
    ) -> State:
        """Put everything back as it was saved; without a file, the start state."""
        if not self.path.exists():
            return start
        groups: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for name, tensor in load_tensors(self.path).items():
            group, _, index = name.partition("/")
            groups[group][index] = tensor
        oracle.set_counters(unflatten(oracle.counters(), groups["oracle"]))
        records = Trajectory(*(groups["records"][i] for i in sorted(groups["records"])))
        by_column = records.map(lambda x: x.transpose(0, 1))
        recorder.columns = [by_column[i] for i in range(len(by_column.loss))]
        recorder.iterates = [groups["iterates"][i] for i in sorted(groups["iterates"])]
        generator.set_state(groups["generator"][""])
        return unflatten(start, groups["state"])

    def remove(self) -> None:
        """The run is complete and stored elsewhere."""
        self.path.unlink(missing_ok=True)

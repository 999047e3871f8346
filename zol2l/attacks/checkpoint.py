"""An attack in progress on disk, so that a kill loses seconds."""

from __future__ import annotations

from typing import TypeVar

import torch

from zol2l.oracle import Oracle
from zol2l.storage.checkpoint import Checkpoint
from zol2l.storage.tensor_files import restore_stream, unflatten

S = TypeVar("S")


class AttackCheckpoint(Checkpoint):
    """An attack's state, how many of its steps are done, the counters and the random stream."""

    def save_when_due(
        self, state: object, done: int, oracle: Oracle, generator: torch.Generator
    ) -> None:
        """Save if `every_seconds` have passed since the last time."""
        if self.due():
            stream = generator.get_state()
            step = torch.tensor(done)
            self.save(state=state, done=step, oracle=oracle.counters(), generator=stream)

    def restore(self, start: S, oracle: Oracle, generator: torch.Generator) -> tuple[S, int]:
        """The state and the number of steps done as they were saved; without a file, the start."""
        saved = self.load(
            lambda trees: (
                unflatten(start, trees["state"]),
                int(trees["done"]["00000"]),
                unflatten(oracle.counters(), trees["oracle"]),
                trees["generator"]["00000"],
            )
        )
        if saved is None:
            return start, 0
        state, done, counters, stream = saved
        restore_stream(generator, stream)
        oracle.set_counters(counters)
        return state, done

    def nested(self, name: str) -> AttackCheckpoint:
        """One beside this, for an attack that runs within another's step."""
        path = self.path.with_suffix(f".{name}{self.path.suffix}")
        return AttackCheckpoint(path, self.every_seconds)

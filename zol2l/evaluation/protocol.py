"""The protocol: many methods on the same instances, starts, trials and budgets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from zol2l.evaluation.pictures import take_pictures
from zol2l.evaluation.results import (
    beside,
    only_pictures_of,
    read_results,
    tidy,
    trial_rows,
    write_results,
)
from zol2l.evaluation.shared_protocol import SharedProtocol
from zol2l.evaluation.stopped import warn_of_stopped
from zol2l.optimizees import BlackBoxAttack, OptimizeeFamily
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle, require_affordable
from zol2l.run import RunCheckpoint, first_step, run
from zol2l.storage.parts import kept_part
from zol2l.storage.tensor_files import load_tensors, save_tensors
from zol2l.terminal.progress import Advance
from zol2l.trajectory import Recorder

PICTURES = 9
PICTURED_INSTANCES = 3


@dataclass(frozen=True, kw_only=True)
class Protocol(SharedProtocol):
    """What every method gets: `instances`, `trials` each, `steps`; the seed of the directions is
    the same for all. `pictured` lists the iterations shown in the strip of adversarial images
    (None: evenly spaced).
    """

    instances: int = 100
    trials: int = 1
    steps: int = 200
    pictured: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("instances", "trials", "steps"):
            self.check(getattr(self, name) >= 1, name, "at least 1")
        steps = self.pictured
        shown = steps is None or (steps and all(0 <= step <= self.steps for step in steps))
        self.check(bool(shown), "pictured", f"iterations between 0 and {self.steps}, or null")

    @property
    def picture_steps(self) -> list[int]:
        """Iterations shown in the strip of adversarial images."""
        if self.pictured is not None:
            return sorted({int(step) for step in self.pictured})
        return sorted({round(self.steps * i / (PICTURES - 1)) for i in range(PICTURES)})

    @property
    def picture_rows(self) -> list[int]:
        """Batch rows shown there: the first trial of the first instances."""
        return [i * self.trials for i in range(min(PICTURED_INSTANCES, self.instances))]

    def require_instances(self, available: int) -> None:
        """Refuse to ask for more instances than the split has."""
        self.check_examples("instances", available)

    def oracle(self, family: OptimizeeFamily) -> Oracle:
        """A fresh oracle on all runs, instances x trials flattened, instance-major."""
        self.require_instances(family.sizes[self.split])
        rows = self.first + trial_rows(self.instances, self.trials)
        return Oracle(family.placed(self.split, rows), self.budget, self.chunk)


@dataclass(frozen=True)
class Method:
    """An optimizer, a fingerprint of all that its results depend on, and one of the method itself,
    whatever its seed and problem.
    """

    optimizer: Optimizer
    fingerprint: str
    definition: str = ""


def evaluate(
    methods: Mapping[str, Method],
    family: OptimizeeFamily,
    protocol: Protocol,
    folder: Path,
    progress: Advance,
    parts: Path | None = None,
    kept: Collection[str] = (),
) -> pd.DataFrame:
    """Evaluate all methods into `folder`/results.parquet and return the tidy frame, which has the
    rows of the methods `kept` that were there too.

    Each finished method is kept in `parts` (None: `folder`/parts), which run folders may share; a
    running one is checkpointed there: running again continues where it stopped and gives the same
    rows, bit for bit on CPU.
    """
    parts = parts or folder / "parts"
    frames = {}
    start = protocol.oracle(family).optimizee.start()
    for name, method in methods.items():
        require_affordable(protocol.budget, first_step(method.optimizer, start), of=name)
    only_pictures_of(kept, folder / "pictures")
    for name, method in methods.items():
        make = partial(_evaluate_method, name, method.optimizer, family, protocol, progress)
        read = kept_part(parts, name, method.fingerprint, make, _read_part)
        frames[name], pictures = read
        if pictures:
            save_tensors(folder / "pictures" / f"{name}.safetensors", pictures)
    table = folder / "results.parquet"
    write_results(table, beside(table, kept, frames))
    return read_results(table)


def _read_part(part: Path) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    """A method's rows, and its pictures where it has some."""
    pictures = _pictures_of(part)
    return read_results(part), load_tensors(pictures) if pictures.exists() else {}


def _pictures_of(part: Path) -> Path:
    return part.with_suffix(".pictures.safetensors")


def _evaluate_method(
    name: str,
    optimizer: Optimizer,
    family: OptimizeeFamily,
    protocol: Protocol,
    progress: Advance,
    part: Path,
) -> None:
    oracle = protocol.oracle(family)
    checkpoint = RunCheckpoint(part.with_suffix(".checkpoint.safetensors"))
    recorder = Recorder(protocol.picture_steps, protocol.picture_rows)
    trajectory = run(
        optimizer,
        oracle,
        protocol.steps,
        torch.Generator(family.device).manual_seed(protocol.seed),
        recorder=recorder,
        checkpoint=checkpoint,
        progress=lambda step: progress(name, step, protocol.steps),
    )
    failed = oracle.failed.nonzero()[:, 0].tolist()
    stopped = [f"{row // protocol.trials}/{row % protocol.trials}" for row in failed]
    warn_of_stopped(name, stopped, "instance/trial")
    if isinstance(oracle.optimizee, BlackBoxAttack):
        pictures = take_pictures(oracle.optimizee, recorder, trajectory, protocol.picture_steps)
        save_tensors(_pictures_of(part), pictures)
    write_results(part, [tidy(name, trajectory, protocol.instances, protocol.trials)])
    checkpoint.remove()

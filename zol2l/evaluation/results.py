"""The results schema: one tidy Parquet file, one row per method, instance, trial and iterate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from zol2l.storage.bad_files import reading
from zol2l.storage.files import write_atomically
from zol2l.trajectory import Trajectory

SCHEMA = pa.schema(
    [
        ("method", pa.dictionary(pa.int32(), pa.string())),
        ("instance", pa.int32()),
        ("trial", pa.int32()),
        ("step", pa.int32()),
        ("queries", pa.int64()),
        ("loss", pa.float64()),
        ("attack_loss", pa.float64()),
        ("distortion", pa.float64()),
        ("success", pa.bool_()),
    ]
)
"""`queries`: what the method would have spent had it stopped at this iterate, its evaluation
included. `success`: whether this iterate succeeds. NaN loss: the instance was stopped."""


def tidy(method: str, trajectory: Trajectory, instances: int, trials: int) -> pd.DataFrame:
    """Rows of one method; the batch axis of the trajectory is instance-major over trials."""
    batch, iterates = trajectory.loss.shape
    index = np.indices((instances, trials, iterates)).reshape(3, batch * iterates)
    columns = {name: getattr(trajectory, name).flatten().numpy() for name in SCHEMA.names[4:]}
    keys = dict(zip(("instance", "trial", "step"), index, strict=True))
    return pd.DataFrame({"method": method, **keys, **columns})


def write_results(path: Path, frames: list[pd.DataFrame]) -> None:
    """Write the frames, in their order, as one Parquet file, atomically."""
    write_table(path, frames, SCHEMA)


def write_table(path: Path, frames: list[pd.DataFrame], schema: pa.Schema) -> None:
    """The same for any schema with a column `method`."""
    frame = pd.concat(frames, ignore_index=True).astype({"method": str})
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    write_atomically(path, lambda temporary: pq.write_table(table, temporary))


def read_results(path: Path) -> pd.DataFrame:
    """Read a results file; `method` keeps the order in which methods were evaluated. `BadFile`
    names one that cannot be read.
    """
    with reading(path):
        frame = pd.read_parquet(path)
        order = frame["method"].astype(str).unique().tolist()
    frame["method"] = pd.Categorical(frame["method"].astype(str), categories=order, ordered=True)
    return frame


def beside(
    path: Path, kept: Collection[str], frames: Mapping[str, pd.DataFrame]
) -> list[pd.DataFrame]:
    """The frames of some methods and, from the results file that they replace, the rows of the
    methods `kept`: each method at its place there, what is new at the end.
    """
    if not kept:
        return list(frames.values())
    before = read_results(path)
    there = [name for name in before["method"].cat.categories if name in kept or name in frames]
    old = {name: before[before["method"] == name] for name in kept}
    return [frames[n] if n in frames else old[n] for n in dict.fromkeys([*there, *frames])]


def only_pictures_of(kept: Collection[str], folder: Path) -> None:
    """Remove the pictures in `folder` but for those of the methods `kept`."""
    for path in folder.glob("*"):
        if path.stem not in kept:
            path.unlink()


def trial_rows(instances: int, trials: int) -> torch.Tensor:
    """Rows of a split for `trials` runs of each of the first `instances`, instance-major."""
    return torch.arange(instances).repeat_interleave(trials)

"""The results schema of attacks: one row per attack and image; and its summary, one per attack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from torch import Tensor

from zol2l.attacks.attack import AttackResult, Verified
from zol2l.evaluation.results import read_results, write_table
from zol2l.optimizees.goals import Goal

SCHEMA = pa.schema(
    [
        ("method", pa.dictionary(pa.int32(), pa.string())),
        ("instance", pa.int32()),
        ("label", pa.int32()),
        ("target", pa.int32()),
        ("predicted", pa.int32()),
        ("success", pa.bool_()),
        ("queries", pa.int64()),
        ("l2", pa.float64()),
        ("linf", pa.float64()),
        ("outside_ball", pa.float64()),
        ("outside_box", pa.float64()),
    ]
)
"""`success`: the attack says so (by a margin of kappa), and the victim's prediction of the final
image, asked from outside, is what it wanted. `queries`: all that the attack asked for; of a failure
a censored number. `target`: -1 for untargeted attacks."""


def attack_rows(
    name: str, first: int, images: Tensor, goal: Goal, result: AttackResult, seen: Verified
) -> pd.DataFrame:
    """The rows of one attack on images (B, C, H, W) that are instances `first`, `first` + 1, ..."""
    delta = (result.adversarial - images).flatten(1).double()
    columns = {
        "label": goal.labels,
        "predicted": seen.predicted,
        "success": seen.broken & result.success.to(seen.broken.device),
        "queries": result.queries,
        "l2": delta.norm(dim=1),
        "linf": delta.abs().amax(dim=1),
        "outside_ball": seen.outside_ball,
        "outside_box": seen.outside_box,
    }
    frame = pd.DataFrame({key: value.cpu().numpy() for key, value in columns.items()})
    frame["target"] = -1 if goal.targets is None else goal.targets.cpu().numpy()
    frame["instance"] = first + np.arange(len(frame))
    return frame.assign(method=name)


def write_attacks(path: Path, frames: list[pd.DataFrame]) -> None:
    """Write the frames, in their order, as one Parquet file, atomically."""
    write_table(path, frames, SCHEMA)


def read_attacks(path: Path) -> pd.DataFrame:
    """Read such a file; `method` keeps the order in which the attacks were run."""
    return read_results(path)


def summarize_attacks(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per attack: success rate, queries and distortion over its successes alone.

    Failures are censored: counted in `failures`, never averaged in; `queries_of_failures` is what
    they spent on average before the attack gave up.
    """
    won = rows[rows["success"]].groupby("method", observed=False)
    lost = rows[~rows["success"]].groupby("method", observed=False)
    groups = rows.groupby("method", observed=False)
    table = pd.DataFrame(
        {
            "images": groups.size(),
            "success_rate": groups["success"].mean(),
            "queries_mean": won["queries"].mean(),
            "queries_median": won["queries"].median(),
            "queries_std": won["queries"].std(),
            "failures": lost.size(),
            "queries_of_failures": lost["queries"].mean(),
            "l2_mean": won["l2"].mean(),
            "linf_mean": won["linf"].mean(),
            "outside_ball_max": groups["outside_ball"].max(),
            "outside_box_max": groups["outside_box"].max(),
        }
    )
    return table.reset_index()

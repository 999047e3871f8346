"""The results of robust classifiers: a row per defense, seed, attacker and image; and the table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa

from zol2l.evaluation.results import read_results, write_table

SCHEMA = pa.schema(
    [
        ("method", pa.dictionary(pa.int32(), pa.string())),
        ("seed", pa.int32()),
        ("attacker", pa.dictionary(pa.int32(), pa.string())),
        ("radius", pa.float64()),
        ("instance", pa.int32()),
        ("label", pa.int32()),
        ("predicted", pa.int32()),
        ("correct", pa.bool_()),
        ("loss", pa.float64()),
    ]
)
"""`method`: the defense. `radius`: of the ball, in units of the threat model's.
`loss`: the classifier's cross-entropy at the adversarial image."""

RUN = ["method", "seed"]
"""What one classifier is named by."""

MINIMUM, EVERY = "min", "every"
"""The lowest accuracy among the attackers, of which transfers are some (the papers' column leaves
these out), and the share of images that are classified correctly under each of them, which no
image-by-image choice of attack can lower."""


SWEPT = "pgd10"
"""The attacker whose loss is followed over radii."""


def write_robust(path: Path, frames: list[pd.DataFrame]) -> None:
    """Write the frames, in their order, as one Parquet file, atomically."""
    write_table(path, [frame.astype({"attacker": str}) for frame in frames], SCHEMA)


def read_robust(path: Path) -> pd.DataFrame:
    """Read such a file; `method` and `attacker` keep their order."""
    frame = read_results(path)
    names = frame["attacker"].astype(str)
    frame["attacker"] = pd.Categorical(names, categories=names.unique(), ordered=True)
    return frame


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per defense and seed, a column per attacker, `min` and `every`: accuracies within the
    threat model.
    """
    table = _means(rows, "correct")
    seen = rows[rows["radius"] == 1].astype({"correct": float})
    known = seen.groupby([*RUN, "instance"], observed=True)["correct"].min()
    every = known.groupby(RUN, observed=True).mean()
    return table.assign(**{MINIMUM: table.min(axis=1), EVERY: every}).reset_index()


def mean_losses(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per defense and seed, a column per attacker: the mean of `loss` within the threat
    model. An attacker that raises it further is the stronger one, also where both fool an image.
    """
    return _means(rows, "loss").reset_index()


def _means(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    seen = rows[rows["radius"] == 1].astype({column: float})
    table = seen.pivot_table(column, RUN, "attacker", observed=True)
    table.columns = table.columns.astype(str)
    return table


def summarize_robust(table: pd.DataFrame) -> pd.DataFrame:
    """A row per defense and column of `accuracies`: the lowest over seeds, as Xiong & Hsieh report,
    their mean and standard deviation (NaN for one seed).
    """
    names = [name for name in table.columns if name not in ("method", "seed")]
    long = table.melt(["method", "seed"], names, "attacker", "accuracy")
    long["attacker"] = pd.Categorical(long["attacker"], categories=names, ordered=True)
    found = long.groupby(["method", "attacker"], observed=True)["accuracy"]
    columns = {"seeds": found.count(), "lowest": found.min(), "mean": found.mean()}
    return pd.DataFrame({**columns, "std": found.std()}).reset_index()


def over_radii(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows under `SWEPT` of the images that were attacked at several radii."""
    few = rows.loc[rows["radius"] != 1, "instance"].unique()
    return rows[(rows["attacker"] == SWEPT) & rows["instance"].isin(few)]


def gradient_checks(rows: pd.DataFrame, transfer: Collection[str]) -> pd.DataFrame:
    """Signs of obfuscated gradients (Athalye et al., ICML 2018): a row per defense, true where all
    seeds pass. `transfer` names the attackers that use another classifier's gradients.

    more_steps: PGD-100 leaves no more accuracy than PGD-10. black_box: no transfer attack leaves
    less than the strongest white-box attack. radius: the loss under PGD-10 rises with the radius.
    """
    table = accuracies(rows).set_index(["method", "seed"])
    attackers = [name for name in table.columns if name not in (MINIMUM, EVERY, "natural")]
    white = [name for name in attackers if name not in transfer]
    checks = pd.DataFrame(index=table.index)
    if {"pgd10", "pgd100"} <= set(attackers):
        checks["more_steps"] = table["pgd100"] <= table["pgd10"]
    black = [name for name in attackers if name in transfer]
    if black and white:
        checks["black_box"] = table[black].min(axis=1) >= table[white].min(axis=1)
    swept = over_radii(rows)
    if len(swept):
        losses = swept.pivot_table("loss", ["method", "seed"], "radius", observed=True)
        checks["radius"] = (losses.diff(axis=1).iloc[:, 1:] > 0).all(axis=1)
    return checks.groupby("method", observed=True).all().reset_index()

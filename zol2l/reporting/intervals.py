"""Means with intervals, and paired comparisons, in which an instance counts once."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
FEWEST = 6
"""Pairs that a test asks for: with five, the smallest p that signs can give is 2 / 2^5 = 0.0625."""
EXACT = 12
"""Differences up to which all signs are tried: 4,096 of twelve."""


def with_intervals(values: pd.DataFrame) -> pd.DataFrame:
    """A row per task, metric and method: how many instances and seeds there are, the mean over
    instances of an instance's mean over its seeds and trials, and the `interval` of that mean.
    """
    keys = ["task", "metric", "method"]
    rows = []
    for key, group in together(values, keys[:2]).groupby(keys, sort=False):
        known = group.dropna(subset=["value"])
        cells = known.pivot_table("value", "seed", "instance")
        mean = cells.mean().mean() if cells.size else np.nan
        counts = {"instances": cells.shape[1], "seeds": cells.shape[0]}
        low, high = interval(cells.to_numpy())
        if known["value"].isin((0, 1)).all():  # a share
            low, high = max(low, 0.0), min(high, 1.0)
        row = {**counts, "mean": mean, "low": low, "high": high}
        rows.append({**dict(zip(keys, key, strict=True)), **row})
    return pd.DataFrame(rows)


def together(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows with those of the same `keys` together; what came first, first."""
    return pd.concat([group for _, group in table.groupby(keys, sort=False)])


def interval(cells: np.ndarray) -> tuple[float, float]:
    """Student's interval (95 %) of the mean of `cells` (seeds, instances), NaN where one is not
    known: how far it would move with other instances and with other seeds, of which each counts
    once. The variances of both means add up, with Satterthwaite's degrees of freedom; of what there
    is one alone, nothing is known and nothing added. (NaN, NaN) for a single cell.
    """
    variance = weight = 0.0
    for values in (cells, cells.T):
        columns = values[:, np.isfinite(values).any(axis=0)]
        count = columns.shape[1]
        if count > 1:
            part = float(np.nanmean(columns, axis=0).var(ddof=1)) / count
            variance, weight = variance + part, weight + part**2 / (count - 1)
    if max(cells.shape, default=0) < 2:
        return np.nan, np.nan
    mean = float(np.nanmean(np.nanmean(cells, axis=0)))
    freedom = variance**2 / weight if weight else 1.0
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * variance**0.5
    return mean - reach, mean + reach


def paired(values: pd.DataFrame) -> pd.DataFrame:
    """A row per task, metric and pair of methods, compared on what both have.

    A pair is what the task's column `unit` names: an `instance`, over whose seeds and trials the
    difference is averaged; of robust classifiers a `seed`, over whose images it is, since a new
    seed is a new classifier and an image is none. Columns: `unit`, `pairs` (how many), the median
    difference (first less second), Wilcoxon's signed-rank p (two-sided; NaN for fewer than FEWEST
    pairs), that p after Holm's correction over all that have one, and the matched-pairs
    rank-biserial correlation in [-1, 1], positive where the first is larger.
    """
    rows = []
    for (task, metric), group in values.groupby(["task", "metric"], sort=False):
        unit = str(group["unit"].iloc[0])
        measured = ["seed", "instance", "trial"]
        table = group.pivot_table("value", measured, "method", observed=True)
        methods = [m for m in group["method"].unique() if m in table]
        for first, second in combinations(methods, 2):
            each = (table[first] - table[second]).dropna()
            difference = each.groupby(level=unit).mean().to_numpy()
            if len(difference):
                pair = {"task": task, "metric": metric, "first": first, "second": second}
                rows.append({**pair, "unit": unit, **signed_rank(difference)})
    found = pd.DataFrame(rows)
    return found.assign(p_holm=holm(found["p"].to_numpy())) if len(found) else found


def signed_rank(difference: np.ndarray) -> dict[str, float]:
    """Wilcoxon's test of differences (n,), those of zero left out, and its effect size."""
    moved = difference[difference != 0]
    known = {"pairs": len(difference), "median_difference": float(np.median(difference))}
    ranks = stats.rankdata(np.abs(moved))
    effect = float((ranks * np.sign(moved)).sum() / ranks.sum()) if len(moved) else 0.0
    return {**known, "p": _p_of(moved, len(difference)), "effect": effect}


def _p_of(moved: np.ndarray, pairs: int) -> float:
    """Of few differences by all their signs, since ties, of which shares are full, spoil Wilcoxon's
    own distribution.
    """
    if pairs < FEWEST:
        return np.nan
    if not 0 < len(moved) <= EXACT:
        return float(stats.wilcoxon(moved).pvalue) if len(moved) else 1.0
    ranks = stats.rankdata(np.abs(moved))
    signs = np.array(list(product((-1, 1), repeat=len(moved))))
    return float((np.abs(signs @ ranks) >= abs(np.sign(moved) @ ranks)).mean())


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values (n,); NaN is no test and does not count."""
    known = np.isfinite(p)
    tested = p[known]
    order = np.argsort(tested)
    stepped = np.maximum.accumulate(tested[order] * (len(tested) - np.arange(len(tested))))
    corrected = np.full_like(p, np.nan)
    corrected[np.flatnonzero(known)[order]] = np.minimum(stepped, 1)
    return corrected

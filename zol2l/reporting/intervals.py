"""Means with bootstrap intervals over seeds, and paired comparisons on the same units."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 9_999
SEED = 0


def over_seeds(values: pd.DataFrame) -> pd.DataFrame:
    """A row per task, metric and method: the mean over seeds of a seed's mean over units, and the
    bootstrap interval (percentile, 95 %) of that mean; `low` and `high` are NaN for one seed.
    """
    keys = ["task", "metric", "method"]
    per_seed = values.groupby([*keys, "seed"], sort=False)["value"].mean().reset_index()
    rows = []
    for key, group in together(per_seed, keys[:2]).groupby(keys, sort=False):
        known = group["value"].dropna().to_numpy()
        low, high = interval(known)
        mean = known.mean() if len(known) else np.nan
        row = {"seeds": len(known), "mean": mean, "low": low, "high": high}
        rows.append({**dict(zip(keys, key, strict=True)), **row})
    return pd.DataFrame(rows)


def together(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows with those of the same `keys` together; what came first, first."""
    return pd.concat([group for _, group in table.groupby(keys, sort=False)])


def interval(values: np.ndarray) -> tuple[float, float]:
    """The bootstrap interval of the mean of `values` (n,)."""
    if len(values) < 2:
        return np.nan, np.nan
    found = stats.bootstrap(
        (values,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES,
        method="percentile", random_state=SEED,
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def paired(values: pd.DataFrame) -> pd.DataFrame:
    """A row per task, metric and pair of methods, compared on the seeds and units that both have:
    the median difference (first less second), Wilcoxon's signed-rank p (two-sided), that p after
    Holm's correction over all rows, and the matched-pairs rank-biserial correlation in [-1, 1],
    positive where the first is larger.
    """
    rows = []
    for (task, metric), group in values.groupby(["task", "metric"], sort=False):
        table = group.pivot_table("value", ["seed", "unit"], "method", observed=True)
        methods = [m for m in group["method"].unique() if m in table]
        for first, second in combinations(methods, 2):
            difference = (table[first] - table[second]).dropna().to_numpy()
            if len(difference):
                pair = {"task": task, "metric": metric, "first": first, "second": second}
                rows.append({**pair, **signed_rank(difference)})
    found = pd.DataFrame(rows)
    return found.assign(p_holm=holm(found["p"].to_numpy())) if len(found) else found


def signed_rank(difference: np.ndarray) -> dict[str, float]:
    """Wilcoxon's test of differences (n,), those of zero left out, and its effect size."""
    moved = difference[difference != 0]
    known = {"pairs": len(difference), "median_difference": float(np.median(difference))}
    if not len(moved):
        return {**known, "p": 1.0, "effect": 0.0}
    ranks = stats.rankdata(np.abs(moved))
    effect = float((ranks * np.sign(moved)).sum() / ranks.sum())
    return {**known, "p": float(stats.wilcoxon(moved).pvalue), "effect": effect}


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values (n,)."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected

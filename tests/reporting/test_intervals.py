"""Intervals that cover, tests against scipy's own, Holm's correction and effects by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zol2l.reporting.intervals import holm, interval, over_seeds, paired, signed_rank


def tidy(method: str, per_seed: dict[int, list[float]], metric: str = "loss") -> pd.DataFrame:
    rows = [
        {"task": "t", "metric": metric, "method": method, "seed": s, "unit": str(u), "value": v}
        for s, values in per_seed.items()
        for u, v in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_a_seed_counts_once_however_many_units_it_has() -> None:
    values = tidy("a", {0: [1.0, 3.0], 1: [6.0], 2: [4.0, 4.0, 4.0]})
    (row,) = over_seeds(values).to_dict("records")
    assert row["mean"] == pytest.approx(4.0) and row["seeds"] == 3
    assert 2.0 <= row["low"] < 4.0 < row["high"] <= 6.0


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        low, high = interval(random.normal(1.0, 1.0, 20))
        covered += low <= 1.0 <= high
    assert 86 <= covered <= 99


def test_one_seed_has_no_interval_and_what_is_missing_leaves_the_mean() -> None:
    (row,) = over_seeds(tidy("a", {0: [1.0, float("nan"), 2.0]})).to_dict("records")
    assert row["mean"] == 1.5 and np.isnan(row["low"])
    (none,) = over_seeds(tidy("a", {0: [float("nan")]})).to_dict("records")
    assert np.isnan(none["mean"])


def test_methods_stand_together_by_metric_in_whatever_order_jobs_were_read() -> None:
    jobs = [tidy(method, {0: [1.0]}, metric) for method in "ab" for metric in ("loss", "queries")]
    table = over_seeds(pd.concat(jobs))
    assert table["metric"].tolist() == ["loss", "loss", "queries", "queries"]
    assert table["method"].tolist() == ["a", "b", "a", "b"]


def test_the_signed_ranks_by_hand() -> None:
    found = signed_rank(np.array([1.0, -2.0, 3.0, 4.0, 0.0]))
    assert found["effect"] == pytest.approx((1 - 2 + 3 + 4) / 10)
    assert found["pairs"] == 5 and found["median_difference"] == 1.0
    assert found["p"] == pytest.approx(stats.wilcoxon([1.0, -2.0, 3.0, 4.0]).pvalue)
    assert signed_rank(np.zeros(3)) == {"pairs": 3, "median_difference": 0, "p": 1, "effect": 0}


def test_methods_are_compared_on_the_seeds_and_units_that_both_have() -> None:
    first = tidy("a", {0: [1.0, 2.0, 3.0], 1: [5.0, float("nan")]})
    second = tidy("b", {0: [2.0, 4.0], 1: [9.0, 1.0], 2: [0.0]})
    (row,) = paired(pd.concat([first, second])).to_dict("records")
    assert (row["first"], row["second"], row["pairs"]) == ("a", "b", 3)
    assert row["median_difference"] == -2.0 and row["effect"] == -1.0


def test_no_pair_is_no_row() -> None:
    assert paired(tidy("a", {0: [1.0]})).empty
    apart = pd.concat([tidy("a", {0: [1.0]}), tidy("b", {1: [1.0]})])
    assert paired(apart).empty


def test_holm_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, 0.03, 0.5]))
    assert found.tolist() == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]

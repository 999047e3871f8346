"""Intervals that cover, tests against scipy's own, Holm's correction and effects by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zol2l.reporting.intervals import holm, interval, paired, signed_rank, with_intervals

RANDOM = np.random.default_rng


def tidy(
    method: str, per_seed: dict[int, list[float]], metric: str = "loss", unit: str = "instance"
) -> pd.DataFrame:
    """Values of the instances 0, 1, ... under each seed."""
    rows = [
        {"method": method, "seed": seed, "instance": instance, "trial": 0, "value": value}
        for seed, values in per_seed.items()
        for instance, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(task="t", metric=metric, unit=unit)


def correlated(method: str, random: np.random.Generator, instances: int, unit: str) -> pd.DataFrame:
    """4 seeds x 3 trials of each instance, or images of each seed, that hardly differ: how good the
    method is on it is drawn once, around a mean of 0.
    """
    own = random.normal(size=instances)
    shape = (4, instances) if unit == "instance" else (instances, 12)
    luck = own[None, :] if unit == "instance" else own[:, None]
    drawn = luck + 0.1 * random.normal(size=(3, *shape))
    trials = [
        tidy(method, dict(enumerate(each.tolist())), unit=unit).assign(trial=trial)
        for trial, each in enumerate(drawn)
    ]
    return pd.concat(trials)


def test_an_instance_counts_once_however_many_seeds_and_trials_it_has() -> None:
    values = tidy("a", {0: [1.0, 3.0, 8.0], 1: [3.0], 2: [5.0]})
    (row,) = with_intervals(pd.concat([values, values.assign(trial=1)])).to_dict("records")
    assert row["mean"] == pytest.approx((3 + 3 + 8) / 3)
    assert (row["instances"], row["seeds"]) == (3, 3)


def test_an_interval_of_one_seed_is_students_over_instances() -> None:
    values = [1.0, 3.0, 8.0, 2.0]
    error = stats.sem(values)
    expected = stats.t.interval(0.95, 3, loc=3.5, scale=error)
    assert interval(np.array([values])) == pytest.approx(expected)
    assert interval(np.array([values]).T) == pytest.approx(expected)


def test_shares_stay_between_0_and_1() -> None:
    (row,) = with_intervals(tidy("a", {0: [1.0, 1.0, 0.0]})).to_dict("records")
    assert (row["low"], row["high"]) == (0, 1)


@pytest.mark.parametrize("unit", ["instance", "seed"])
def test_the_interval_covers_the_mean_as_often_as_it_says(unit: str) -> None:
    random, covered = RANDOM(0), 0
    for _ in range(100):
        (row,) = with_intervals(correlated("a", random, 8, unit)).to_dict("records")
        covered += row["low"] <= 0 <= row["high"]
    assert 90 <= covered <= 99


@pytest.mark.parametrize("unit", ["instance", "seed"])
def test_methods_that_are_the_same_rarely_differ_though_their_trials_agree(unit: str) -> None:
    """By trials and seeds, 96 pairs, some nine in ten of these would be told apart."""
    random, found = RANDOM(0), []
    for _ in range(100):
        both = [correlated(name, random, 8, unit) for name in "ab"]
        found += paired(pd.concat(both)).to_dict("records")
    assert {row["pairs"] for row in found} == {8}
    assert sum(row["p_holm"] < 0.05 for row in found) <= 9


def test_three_instances_are_three_pairs_and_no_claim() -> None:
    both = [correlated(name, RANDOM(0), 3, "instance") for name in "ab"]
    (row,) = paired(pd.concat(both)).to_dict("records")
    assert (row["pairs"], row["unit"]) == (3, "instance")
    assert np.isnan(row["p"]) and np.isnan(row["p_holm"]) and np.isfinite(row["effect"])


def test_classifiers_are_compared_by_seeds_and_not_by_images() -> None:
    first = tidy("a", {0: [1, 1, 0, 1], 1: [1, 0, 0, 1]}, unit="seed")
    second = tidy("b", {0: [0, 1, 0, 1], 1: [1, 0, 1, 1]}, unit="seed")
    (row,) = paired(pd.concat([first, second])).to_dict("records")
    assert (row["pairs"], row["unit"], row["median_difference"]) == (2, "seed", 0)


def test_one_value_has_no_interval_and_what_is_missing_leaves_the_mean() -> None:
    (row,) = with_intervals(tidy("a", {0: [1.5, float("nan")]})).to_dict("records")
    assert row["mean"] == 1.5 and np.isnan(row["low"]) and row["instances"] == 1
    (none,) = with_intervals(tidy("a", {0: [float("nan")]})).to_dict("records")
    assert np.isnan(none["mean"]) and none["instances"] == 0


def test_methods_stand_together_by_metric_in_whatever_order_jobs_were_read() -> None:
    jobs = [tidy(method, {0: [1.0]}, metric) for method in "ab" for metric in ("loss", "queries")]
    table = with_intervals(pd.concat(jobs))
    assert table["metric"].tolist() == ["loss", "loss", "queries", "queries"]
    assert table["method"].tolist() == ["a", "b", "a", "b"]


def test_the_signed_ranks_by_hand() -> None:
    found = signed_rank(np.array([1.0, -2.0, 3.0, 4.0, 0.0, 5.0]))
    assert found["effect"] == pytest.approx((1 - 2 + 3 + 4 + 5) / 15)
    assert found["pairs"] == 6 and found["median_difference"] == 2.0
    assert found["p"] == pytest.approx(stats.wilcoxon([1.0, -2.0, 3.0, 4.0, 5.0]).pvalue)
    assert signed_rank(np.zeros(6)) == {"pairs": 6, "median_difference": 0, "p": 1, "effect": 0}


def test_p_of_ties_is_that_of_their_signs() -> None:
    assert signed_rank(np.ones(6))["p"] == pytest.approx(2 / 2**6)
    assert signed_rank(np.array([1.0] * 5 + [0.0] * 7))["p"] == pytest.approx(2 / 2**5)


def test_p_of_many_and_of_few_is_the_same_test() -> None:
    few = RANDOM(0).normal(0.5, 1, 12)
    assert signed_rank(few)["p"] == pytest.approx(stats.wilcoxon(few).pvalue)


def test_methods_are_compared_on_the_seeds_and_instances_that_both_have() -> None:
    first = tidy("a", {0: [1.0, 2.0, 3.0], 1: [5.0, float("nan")]})
    second = tidy("b", {0: [2.0, 4.0], 1: [9.0, 1.0], 2: [0.0]})
    (row,) = paired(pd.concat([first, second])).to_dict("records")
    assert (row["first"], row["second"], row["pairs"]) == ("a", "b", 2)
    assert row["median_difference"] == np.median([(-1 - 4) / 2, -2]) and row["effect"] == -1.0


def test_no_pair_is_no_row() -> None:
    assert paired(tidy("a", {0: [1.0]})).empty
    apart = pd.concat([tidy("a", {0: [1.0]}), tidy("b", {1: [1.0]})])
    assert paired(apart).empty


def test_holm_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, 0.03, 0.5]))
    assert found.tolist() == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]
    untested = holm(np.array([np.nan, 0.03, np.nan, 0.01]))
    assert untested[[1, 3]].tolist() == pytest.approx([0.03, 0.02])
    assert np.isnan(untested[[0, 2]]).all()

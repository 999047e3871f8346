"""The summary table by hand, on three methods with failures and a stopped instance."""

from __future__ import annotations

import math
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

from zol2l.evaluation.results import SCHEMA, read_results, write_results
from zol2l.evaluation.summary import (
    knows_success,
    runs,
    stopped_runs,
    summarize,
    write_summary,
)
from zol2l.reporting.tables import summary_table
from zol2l.reporting.tracking import log_evaluation

COLUMNS = [
    "method",
    "instances",
    "trials",
    "success_rate",
    "queries_to_success_mean",
    "queries_to_success_median",
    "final_loss_mean",
    "final_loss_std",
    "final_distortion_mean",
    "queries_per_step",
]
NAN = math.nan


def rows(run: tuple[str, int, int], cost: int, losses: list, success: list) -> list:
    """A run (method, instance, trial); distortion is ten times the loss, a NaN costs nothing."""
    found = []
    for step, (loss, ok) in enumerate(zip(losses, success, strict=True)):
        queries = min(step, sum(not math.isnan(x) for x in losses)) * cost + 1
        values = (queries, loss, loss, 10 * loss, bool(ok))
        found.append((*run, step, *values))
    return found


def frame(tmp_path: Path, *found: list) -> pd.DataFrame:
    table = pd.DataFrame([row for each in found for row in each], columns=SCHEMA.names)
    write_results(tmp_path / "r.parquet", [table])
    return read_results(tmp_path / "r.parquet")


@pytest.fixture
def example(tmp_path: Path) -> pd.DataFrame:
    return frame(
        tmp_path,
        rows(("z", 0, 0), 4, [4, 3, 2], [0, 1, 0]),
        rows(("z", 0, 1), 4, [4, 3, 3], [1, 1, 1]),
        rows(("z", 1, 0), 4, [4, 4, 4], [0, 0, 0]),
        rows(("z", 1, 1), 4, [6, 5, 5], [0, 0, 1]),
        rows(("never", 0, 0), 7, [1, 1], [0, 0]),
        rows(("always", 0, 0), 2, [1, 0.5], [1, 1]),
        rows(("always", 1, 0), 2, [1, 1.5], [1, 1]),
    )


def test_columns_and_order_of_methods(example: pd.DataFrame) -> None:
    summary = summarize(example)
    assert list(summary.columns) == COLUMNS
    assert list(summary["method"]) == ["z", "never", "always"]


def test_values_by_hand(example: pd.DataFrame) -> None:
    z, never, always = summarize(example).to_dict("records")
    assert (z["instances"], z["trials"]) == (2, 2)
    assert z["success_rate"] == 0.75
    assert z["queries_to_success_mean"] == pytest.approx((5 + 1 + 9) / 3)
    assert z["queries_to_success_median"] == 5
    assert z["final_loss_mean"] == pytest.approx(3.5)
    assert z["final_loss_std"] == pytest.approx(math.sqrt((2.25 + 0.25 + 0.25 + 2.25) / 3))
    assert z["final_distortion_mean"] == pytest.approx(35)
    assert z["queries_per_step"] == 4
    assert (never["success_rate"], never["queries_per_step"]) == (0, 7)
    assert math.isnan(never["queries_to_success_mean"])
    assert math.isnan(never["queries_to_success_median"])
    assert (always["success_rate"], always["queries_to_success_mean"]) == (1, 1)


def test_a_table_without_any_success(tmp_path: Path) -> None:
    (record,) = summarize(frame(tmp_path, rows(("m", 0, 0), 3, [2, 1], [0, 0]))).to_dict("records")
    assert record["success_rate"] == 0
    assert math.isnan(record["queries_to_success_mean"])
    assert record["final_loss_mean"] == 1


@pytest.fixture
def plain(tmp_path: Path) -> pd.DataFrame:
    """Two methods on a problem that is no attack."""
    names = ("zo_sgd", "zo_adam")
    found = frame(tmp_path, *(rows((name, 0, 0), 3, [2, 1], [0, 0]) for name in names))
    return found.assign(attack_loss=NAN, distortion=NAN)


def test_where_nothing_can_succeed_nothing_is_said_of_success(
    plain: pd.DataFrame, tmp_path: Path
) -> None:
    assert not knows_success(plain)
    summary = summarize(plain)
    assert summary["success_rate"].isna().all()
    write_summary(tmp_path / "summary.csv", summary)
    assert (tmp_path / "summary.csv").read_text().splitlines()[1] == "zo_sgd,1,1,,,,1,,,3"
    shown = [str(column.header) for column in summary_table(summary).columns]
    assert shown == ["method", "final loss", "queries a step"]
    run = Mock()
    log_evaluation(run, plain, summary, [])
    told = [name for call in run.log.call_args_list for name in call.args[0]]
    told += [name for call in run.summary.update.call_args_list for name in call.args[0]]
    assert "zo_sgd/loss" in told and "zo_sgd/final_loss_mean" in told
    assert not [name for name in told if "success" in name]


def test_a_problem_of_ones_own_that_succeeds_without_an_attack_loss_is_known_by_that(
    plain: pd.DataFrame,
) -> None:
    own = plain.assign(success=(plain["method"] == "zo_adam") & (plain["step"] == 1))
    assert summarize(own)["success_rate"].tolist() == [0, 1]


def test_the_order_of_rows_does_not_matter(example: pd.DataFrame) -> None:
    shuffled = example.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(summarize(shuffled), summarize(example))


def test_runs_censor_failures(example: pd.DataFrame) -> None:
    z = runs(example).query("method == 'z'")
    assert z["queries_to_success"].tolist()[:2] == [5, 1]
    assert z["queries_to_success"].isna().tolist() == [False, False, True, False]
    assert z["success"].tolist() == [True, True, False, True]
    assert z["loss"].tolist() == [2, 3, 4, 5]


def test_stopped_instances_count_as_failures_and_enter_no_mean(tmp_path: Path) -> None:
    table = frame(
        tmp_path,
        rows(("m", 0, 0), 4, [4, 3, 2], [0, 0, 1]),
        rows(("m", 1, 0), 4, [4, NAN, NAN], [0, 0, 0]),
    )
    (record,) = summarize(table).to_dict("records")
    assert (record["instances"], record["success_rate"]) == (2, 0.5)
    assert (record["final_loss_mean"], record["final_distortion_mean"]) == (2, 20)
    assert record["queries_to_success_mean"] == 9
    assert stopped_runs(table) == {"m": 1}


def test_stopped_instances_do_not_dilute_the_cost_of_a_step(tmp_path: Path) -> None:
    table = frame(
        tmp_path,
        rows(("m", 0, 0), 4, [4, 3, 2, 1], [0, 0, 0, 0]),
        rows(("m", 1, 0), 4, [4, NAN, NAN, NAN], [0, 0, 0, 0]),
        rows(("m", 2, 0), 4, [NAN, NAN, NAN, NAN], [0, 0, 0, 0]),
    )
    assert summarize(table)["queries_per_step"].tolist() == [4]


def test_no_instance_is_stopped_in_a_healthy_table(example: pd.DataFrame) -> None:
    assert stopped_runs(example) == {}


def test_the_written_table_reads_back_with_six_digits(
    example: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "summary.csv"
    write_summary(path, summarize(example))
    read = pd.read_csv(path)
    assert list(read.columns) == COLUMNS
    expected = summarize(example)
    for column in COLUMNS[1:]:
        assert read[column].tolist() == pytest.approx(
            expected[column].tolist(), rel=1e-5, nan_ok=True
        ), column

"""Any sampling rule, estimator and update rule combine from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Zol2l
from zol2l.commands.build import CONF
from zol2l.evaluation import protocol

COMMON = ("optimizee=quadratic", "scale=smoke", "logger=csv")
STEPS, Q = 4, 5
COST = {
    "forward_difference": Q + 1,
    "central_difference": 2 * Q + 1,
    "variance_reduced": 2 * (Q + 1) + 101 / STEPS,
    "exact": 1,
}
LEARNED = ("query_rnn", "update_rnn")
OF_ATTACKS = ("important_coordinates", "scored_difference", "natural_gradient")
"""They need pictures, or probabilities: test_attack.py and test_zo_ngd_baseline.py run them."""


def choices(group: str) -> list[str]:
    return sorted(
        p.stem for p in (CONF / group).glob("*.yaml") if p.stem not in LEARNED + OF_ATTACKS
    )


def composed(sampling: str, estimator: str, update: str) -> list[str]:
    parts = {"sampling": sampling, "estimator": estimator, "update": update}
    chosen = [f"{part}@optimizer.optimizer.{part}={name}" for part, name in parts.items()]
    return ["optimizer=composed", *chosen]


COMBINATIONS = [
    ("guided_es", "forward_difference", "sgd"),
    ("guided_es", "variance_reduced", "adam"),
    ("coordinates", "forward_difference", "adam"),
    ("coordinates", "variance_reduced", "sign_sgd"),
    ("gaussian", "central_difference", "sign_sgd"),
    ("sphere", "central_difference", "coordinate_adam"),
    ("sphere", "exact", "momentum_sign"),
]


def test_every_part_without_weights_is_in_a_combination() -> None:
    for group, tried in zip(
        ("sampling", "estimator", "update"), zip(*COMBINATIONS, strict=True), strict=True
    ):
        assert set(tried) == set(choices(group))
    assert set(COST) == set(choices("estimator"))


@pytest.mark.parametrize(("sampling", "estimator", "update"), COMBINATIONS)
def test_a_combination_is_evaluated_and_costs_what_its_estimator_says(
    zol2l: Zol2l, tmp_path: Path, sampling: str, estimator: str, update: str
) -> None:
    outcome = zol2l("evaluate", *COMMON, *composed(sampling, estimator, update))
    assert outcome.status == 0, outcome.err
    summary = pd.read_csv(tmp_path / "outputs/quadratic-smoke/summary.csv")
    assert summary["queries_per_step"].tolist() == pytest.approx([COST[estimator]])
    assert summary["final_loss_mean"].notna().all()


def test_learned_parts_combine_with_every_estimator(zol2l: Zol2l, tmp_path: Path) -> None:
    """Learned with forward differences, used with central ones and on Guided ES directions."""
    assert zol2l("meta-train", *COMMON, "ablation=no_query").status == 0
    parts = composed("guided_es", "central_difference", "update_rnn")
    refused = zol2l("evaluate", *COMMON, *parts)
    assert refused.status == 2
    assert "name their owner in `learned`" in refused.err
    outcome = zol2l("evaluate", *COMMON, *parts, "+optimizer.learned.update=zo_lstm")
    assert outcome.status == 0, outcome.err
    summary = pd.read_csv(tmp_path / "outputs/quadratic-smoke/summary.csv")
    assert summary["queries_per_step"].tolist() == [2 * Q + 1]


@pytest.mark.parametrize("baseline", ["zo_szvr_g", "zo_scd"])
def test_a_baseline_is_tuned_and_evaluated_as_tuned(
    zol2l: Zol2l, tmp_path: Path, baseline: str
) -> None:
    assert zol2l("tune", *COMMON, f"baseline={baseline}").status == 0
    found = tmp_path / f"outputs/quadratic-smoke/tuning/{baseline}/tuned.json"
    assert set(json.loads(found.read_text())["settings"]) == {"rate"}
    outcome = zol2l("evaluate", *COMMON, f"baseline={baseline}")
    assert outcome.status == 0, outcome.err
    assert f"from {found.relative_to(tmp_path)}" in outcome.out + outcome.err


def test_a_budget_below_the_first_snapshot_is_refused_and_names_its_cost(zol2l: Zol2l) -> None:
    outcome = zol2l("evaluate", *COMMON, "baseline=zo_szvr_g", "evaluation.budget=113")
    assert outcome.status == 2
    assert "evaluation.budget=113" in outcome.err
    assert "114 queries" in outcome.err


def test_more_directions_than_coordinates_are_refused(zol2l: Zol2l) -> None:
    outcome = zol2l("evaluate", *COMMON, "baseline=zo_scd", "optimizee.directions=21")
    assert outcome.status == 2
    assert "directions=21: at most the problem's 20 coordinates" in outcome.err


def test_methods_evaluated_one_after_the_other_stand_in_one_table(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    for method in ("zo_sgd", "zo_adam"):
        outcome = zol2l("evaluate", *COMMON, f"baseline={method}", "run_name=added")
        assert outcome.status == 0, outcome.err
    assert "beside zo_sgd, as they were" in outcome.out + outcome.err
    assert "success" not in outcome.out, "a quadratic knows none"
    folder = tmp_path / "outputs/added-smoke"
    rows = pd.read_parquet(folder / "results.parquet")
    assert rows.groupby("method", observed=True).size().to_dict() == {"zo_sgd": 30, "zo_adam": 30}
    assert pd.read_csv(folder / "summary.csv")["method"].tolist() == ["zo_sgd", "zo_adam"]
    assert set(json.loads((folder / "made_of.json").read_text())["methods"]) == {
        "zo_sgd",
        "zo_adam",
    }


def test_run_folders_with_one_store_evaluate_a_method_once(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = (*COMMON, "baseline=zo_sgd", "store_name=shared")
    assert zol2l("evaluate", *chosen, "run_name=first").status == 0
    monkeypatch.setattr(protocol, "_evaluate_method", lambda *_: pytest.fail("evaluated again"))
    assert zol2l("evaluate", *chosen, "run_name=second").status == 0
    found = [
        pd.read_parquet(tmp_path / f"outputs/{run}-smoke/results.parquet")
        for run in ("first", "second")
    ]
    pd.testing.assert_frame_equal(*found)

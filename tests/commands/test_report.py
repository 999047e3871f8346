"""`zol2l report` over runs of evaluate, attack and adv-evaluate."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Zol2l

QUIET = ("scale=smoke", "logger=csv")


def run(zol2l: Zol2l, *arguments: str) -> None:
    outcome = zol2l(*arguments, *QUIET)
    assert outcome.status == 0, outcome.err


def test_seeds_of_a_sweep_become_intervals_and_pairs(zol2l: Zol2l, tmp_path: Path) -> None:
    sweep = ("baseline=zo_sgd,zo_adam", "evaluation.seed=0,1,2")
    run(zol2l, "evaluate", "-m", "optimizee=quadratic", *sweep)
    outcome = zol2l("report", "outputs/quadratic-smoke", "--output", "page")
    assert outcome.status == 0, outcome.err
    values = pd.read_csv("page/values.csv")
    assert values["folder"].nunique() == 6 and set(values["seed"]) == {0, 1, 2}
    assert set(values["metric"]) == {"final loss"}
    means = pd.read_csv("page/means.csv").set_index("method")
    for method in ("zo_sgd", "zo_adam"):
        mine = values[values["method"] == method]
        assert (means["instances"][method], means["seeds"][method]) == (3, 3)
        assert means["mean"][method] == pytest.approx(mine["value"].mean(), rel=1e-4)
        assert means["low"][method] <= means["mean"][method] <= means["high"][method]
    (pair,) = pd.read_csv("page/comparisons.csv").to_dict("records")
    assert (pair["pairs"], pair["unit"]) == (3, "instance") and pd.isna(pair["p"])
    page, text = Path("page/report.html").read_text(), Path("page/report.md").read_text()
    assert page.count("data:image/png;base64,") == 1 and "http" not in page
    assert "| 3 instances |" in text and "3 instances</td>" in page
    assert "| final loss | zo_sgd |" in text and "figures/quadratic.png" in text
    assert Path("page/figures/quadratic.png").is_file()


def test_settings_keep_tasks_and_methods_apart(zol2l: Zol2l) -> None:
    for name, more in {"a": (), "b": ("evaluation.steps=3",)}.items():
        run(zol2l, "evaluate", "optimizee=quadratic", "baseline=zo_sgd", f"run_name={name}", *more)
    rate = "baseline.optimizer.update.rate=0.5"
    run(zol2l, "evaluate", "optimizee=quadratic", "baseline=zo_sgd", "run_name=c", rate)
    assert zol2l("report", "outputs").status == 0
    values = pd.read_csv("report/values.csv")
    assert values["task"].nunique() == 2
    names = sorted(values["method"].unique())
    assert names == ["zo_sgd", "zo_sgd [a-smoke]", "zo_sgd [c-smoke]"]


def test_attacks_and_robust_classifiers_are_gathered_too(zol2l: Zol2l) -> None:
    run(zol2l, "attack", "optimizee=digits_linf", "attack=zo_ngd")
    given = ("defense=plain", "~attackers.l2lda", "~attackers.rnn", "recipe.training.epochs=1")
    run(zol2l, "adv-train", *given)
    run(zol2l, "adv-evaluate", *given)
    assert zol2l("report", "outputs").status == 0
    means = pd.read_csv("report/means.csv").set_index(["task", "metric"])
    robust = "digits, robust classifiers"
    assert means.loc[[("digits_linf, attacks", "success")], "method"].tolist() == ["zo_ngd"]
    table = pd.read_csv("outputs/digits_small_convnet-smoke/accuracies.csv")
    known = means.loc[[(robust, "accuracy under pgd10")], "mean"]
    assert known.tolist() == pytest.approx(table["pgd10"].tolist())


def test_seeds_of_training_are_one_learned_method(zol2l: Zol2l) -> None:
    for seed in (0, 1):
        for command in ("meta-train", "evaluate"):
            given = ("ablation=none", f"seed={seed}", f"run_name=seed{seed}")
            run(zol2l, command, "optimizee=quadratic", *given)
    assert zol2l("report", "outputs").status == 0
    (row,) = pd.read_csv("report/means.csv").to_dict("records")
    assert row["method"] == "zo_lstm" and row["seeds"] == 2


def test_what_cannot_be_read_is_left_out_and_named(zol2l: Zol2l) -> None:
    for seed in (0, 1, 2):
        given = ("baseline=zo_sgd", f"evaluation.seed={seed}", f"run_name=seed{seed}")
        run(zol2l, "evaluate", "optimizee=quadratic", *given)
    Path("outputs/seed0-smoke/results.parquet").write_bytes(b"")
    Path("outputs/seed1-smoke/evaluate.json").write_text("{")
    outcome = zol2l("report", "outputs")
    assert outcome.status == 0
    assert set(pd.read_csv("report/values.csv")["seed"]) == {2}
    for name in ("seed0", "seed1"):
        assert f"Left out: outputs/{name}-smoke/results.parquet" in outcome.err
    Path("outputs/seed2-smoke/evaluate.json").unlink()
    outcome = zol2l("report", "outputs")
    assert outcome.status == 2 and "results that can be read" in outcome.err


def test_a_killed_job_is_not_taken_for_the_run_above_it(zol2l: Zol2l) -> None:
    given = ("evaluate", "optimizee=quadratic", "baseline=zo_sgd")
    run(zol2l, *given)
    run(zol2l, "evaluate", "-m", *given[1:], "evaluation.seed=1")
    (record,) = Path("outputs/quadratic-smoke/multirun").rglob("evaluate.json")
    record.unlink()
    outcome = zol2l("report", "outputs")
    assert f"Left out: {record.parent}/results.parquet" in outcome.err
    assert set(pd.read_csv("report/values.csv")["seed"]) == {0}


def test_a_report_cannot_be_written_into_a_file(zol2l: Zol2l) -> None:
    run(zol2l, "evaluate", "optimizee=quadratic", "baseline=zo_sgd")
    Path("taken").write_text("mine")
    outcome = zol2l("report", "outputs", "--output", "taken")
    told = "taken/values.csv: File exists; name another folder with --output"
    assert outcome.status == 2 and outcome.err == f"zol2l report: {told}\n"
    assert Path("taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["nowhere"], "folder=nowhere"), (["."], "results.parquet"), ([], "required")],
)
def test_bad_folders(zol2l: Zol2l, arguments: list[str], told: str) -> None:
    outcome = zol2l("report", *arguments)
    assert outcome.status == 2 and told in outcome.err and "Traceback" not in outcome.err

"""The whole chain of an experiment, at scale=smoke."""

from __future__ import annotations

import json
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from tests.commands.conftest import Zol2l
from zol2l.commands.build import CONF
from zol2l.evaluation.results import SCHEMA, read_results

COLUMNS = [
    "method", "instances", "trials", "success_rate", "queries_to_success_mean",
    "queries_to_success_median", "final_loss_mean", "final_loss_std", "final_distortion_mean",
    "queries_per_step",
]  # fmt: skip


def test_quickstart_writes_everything_and_skips_what_is_done(zol2l: Zol2l, tmp_path: Path) -> None:
    arguments = ("reproduce", "experiment=quickstart", "scale=smoke", "logger=csv")
    first = zol2l(*arguments)
    assert first.status == 0, first.err
    folder = tmp_path / "outputs/quickstart-smoke"
    results = read_results(folder / "results.parquet")
    assert list(results.columns) == SCHEMA.names
    assert len(results) == 4 * 3 * 2 * 5
    summary = pd.read_csv(folder / "summary.csv")
    assert list(summary.columns) == COLUMNS
    assert list(summary["method"]) == ["zo_sgd", "zo_signsgd", "zo_adam", "zo_lstm"]
    starts = results[results["step"] == 0].groupby(["instance", "trial"])["loss"].nunique()
    assert (starts == 1).all()
    figures = {path.name for path in (folder / "figures").iterdir()}
    assert figures >= {"loss_vs_iterations.png", "loss_vs_queries.png", "adversarial_images_0.png"}
    record = json.loads((folder / "reproduce.json").read_text())
    assert record["config"]["evaluation"]["steps"] == 4
    assert record["provenance"]["packages"]["torch"]
    kept = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.suffix in (".json", ".ckpt")}
    tuned = folder / "tuning/zo_adam/tuned.json"
    assert (
        "reproduce experiment=quickstart" in json.loads(tuned.read_text())["provenance"]["command"]
    )
    again = zol2l(*arguments)
    assert again.status == 0, again.err
    assert {p.name for p in (folder / "figures").iterdir()} == figures
    assert pd.read_csv(folder / "summary.csv").equals(summary)
    assert tuned.stat().st_mtime_ns == kept[tuned]
    assert "is there" in again.out + again.err


def test_a_sweep_gives_each_job_its_folder(zol2l: Zol2l, tmp_path: Path) -> None:
    common = ("optimizee=quadratic", "scale=smoke", "logger=csv")
    outcome = zol2l("evaluate", "-m", *common, "baseline=zo_sgd,zo_adam", "seed=0,1")
    assert outcome.status == 0, outcome.err
    found = sorted(tmp_path.rglob("summary.csv"))
    assert len(found) == 4
    assert len({path.parent for path in found}) == 4
    methods = {pd.read_csv(path)["method"][0] for path in found}
    assert methods == {"zo_sgd", "zo_adam"}


def test_ablations_share_what_was_learned(zol2l: Zol2l, tmp_path: Path) -> None:
    common = ("optimizee=binary_classification", "scale=smoke", "logger=csv")
    assert zol2l("meta-train", *common).status == 0
    assert zol2l("meta-train", *common, "ablation=no_update").status == 0
    for ablation in ("none", "no_query", "no_update"):
        outcome = zol2l("evaluate", *common, f"ablation={ablation}")
        assert outcome.status == 0, outcome.err
    learned = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.safetensors"))
    assert [name.split("/meta/")[1] for name in learned if "/meta/" in name] == [
        "no_update/sampling/weights.safetensors",
        "zo_lstm/sampling/weights.safetensors",
        "zo_lstm/update/weights.safetensors",
    ]


@pytest.mark.parametrize(
    "group", ["optimizee", "data", "optimizer", "baseline", "ablation", "attack", "experiment"]
)
def test_list_shows_every_option_with_a_line(zol2l: Zol2l, group: str) -> None:
    outcome = zol2l("list")
    assert outcome.status == 0
    names = [p.stem for p in (CONF / group).glob("*.yaml") if "(shared" not in p.read_text()]
    assert names
    _, _, listed = outcome.out.partition(f"{group}=\n")
    lines = list(takewhile(lambda line: line.startswith(" "), listed.splitlines()))
    for name in names:
        (line,) = [x for x in lines if x.split()[:1] == [name]]
        assert len(line.split()) > 3


def test_every_yaml_file_is_valid_and_explained() -> None:
    files = sorted(CONF.rglob("*.yaml"))
    assert len(files) > 30
    for path in files:
        OmegaConf.load(path)
        assert path.read_text().startswith("#"), path


def test_the_list_says_everything_on_request(zol2l: Zol2l) -> None:
    assert "query_rnn" in zol2l("list", "--all").out
    assert "query_rnn" not in zol2l("list").out

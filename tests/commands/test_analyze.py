"""`zol2l analyze`, alone and as an experiment's last stage."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Zol2l
from zol2l.storage.json_files import read_json

SMOKE = ("scale=smoke", "logger=csv", "optimizee=digits_attack")


@pytest.fixture
def learned(zol2l: Zol2l) -> Zol2l:
    assert zol2l("meta-train", *SMOKE).status == 0
    return zol2l


def test_each_analysis_writes_its_table_and_figure(learned: Zol2l, tmp_path: Path) -> None:
    folder = tmp_path / "outputs/digits_attack-smoke"
    tables = {"cosine": "cosine.csv", "coordinate": "coordinate.csv"}
    tables["variance"] = "variance.safetensors"
    for name, table in tables.items():
        outcome = learned("analyze", *SMOKE, f"analysis={name}")
        assert outcome.status == 0, outcome.err
        figure = f"figures/{name}.png"
        for path in (table, figure):
            assert (folder / path).is_file()
            assert f"outputs/digits_attack-smoke/{path}" in outcome.out + outcome.err
    cosine = pd.read_csv(folder / "cosine.csv")
    assert set(cosine["directions"]) == {10, 20, 30, 40, 50}
    coordinate = pd.read_csv(folder / "coordinate.csv")
    assert {"std", "estimate", "delta", "delta_zo_sgd", "delta_zo_adam"} <= set(coordinate)


def test_an_analysis_can_be_an_experiments_last_stage(zol2l: Zol2l, tmp_path: Path) -> None:
    chain = ("reproduce", "experiment=quickstart", "scale=smoke", "logger=csv")
    outcome = zol2l(*chain, "analysis=variance", "analysis.instance=2", "store_name=shared")
    assert outcome.status == 0, outcome.err
    folder = tmp_path / "outputs/quickstart-smoke"
    assert (folder / "variance.safetensors").is_file()
    used = read_json(folder / "made_of-analysis.json")["used"]
    learned = [Path(path).parent.name for path in used if Path(path).name == "weights.safetensors"]
    assert sorted(learned) == ["sampling", "update"]
    assert (folder / "reproduce-analysis.json").is_file()
    assert not (tmp_path / "outputs/quickstart-smoke/results.parquet").exists()
    assert (tmp_path / "outputs/shared-smoke/meta/zo_lstm/update/weights.safetensors").is_file()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "analysis=None"),
        (("analysis=coordinate", "baseline=zo_sgd"), "zo_lstm among them"),
        (("analysis=variance", "ablation=none", "optimizee=quadratic"), "an attack on images"),
        (
            ("analysis=variance", "ablation=none", "analysis.instance=3"),
            "analysis.instance=3: 0 to 2",
        ),
    ],
)
def test_what_cannot_be_analyzed_is_told(zol2l: Zol2l, given: tuple[str, ...], told: str) -> None:
    if "ablation=none" in given:
        own = [x for x in given if x.startswith("optimizee")]
        assert zol2l("meta-train", *SMOKE, "ablation=none", *own).status == 0
    outcome = zol2l("analyze", *SMOKE, *given)
    assert outcome.status == 2, outcome.err
    assert told in outcome.err
    assert "Traceback" not in outcome.err

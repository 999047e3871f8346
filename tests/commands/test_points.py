"""An experiment at several values of one setting."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from tests.commands.conftest import Zol2l
from zol2l.commands.points import at_point, points_of
from zol2l.errors import InvalidInput

COMMON = (
    "reproduce", "experiment=quickstart", "scale=smoke", "logger=csv",
    "optimizee=binary_classification", "run_name=points",
)  # fmt: skip


def points(setting: str, at: str) -> str:
    return f"points={{setting: {setting}, at: {at}, label: number}}"


def test_every_point_is_tuned_and_one_optimizer_is_shown_at_all(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    outcome = zol2l(*COMMON, points("optimizee.directions", "[5, 10]"))
    assert outcome.status == 0, outcome.err
    folder = tmp_path / "outputs/points-smoke"
    table = pd.read_csv(folder / "points.csv")
    assert set(table["point"]) == {5, 10}
    assert len(table) == 2 * 4
    per_step = table.pivot_table(index="point", columns="method", values="queries_per_step")
    assert (per_step.loc[5] == 6).all() and (per_step.loc[10] == 11).all()
    assert (folder / "figures/points.png").is_file()
    end = outcome.out[outcome.out.rindex("final loss") :]
    rows = [line.split("│")[1:3] for line in end.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [str(q), method] for q in (5, 10) for method in per_step.columns[[2, 3, 0, 1]]
    ]
    for q in (5, 10):
        tuned = json.loads((folder / f"points/{q}/tuning/zo_sgd/tuned.json").read_text())
        assert tuned["settings"]
    learned = sorted(str(p.relative_to(folder)) for p in folder.rglob("weights.safetensors"))
    assert learned == [f"meta/zo_lstm/{x}/weights.safetensors" for x in ("sampling", "update")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (points("optimizee.directoins", "[5]"), "optimizee.directoins"),
        (points("optimizee.directions", "[]"), "points.at"),
        (points("optimizee.directions", "[5, 0]"), "sampling.directions"),
        ("points={setting: seed, at: [1]}", "label"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(
    zol2l: Zol2l, tmp_path: Path, given: str, told: str
) -> None:
    outcome = zol2l(*COMMON, given)
    assert outcome.status == 2
    assert told in outcome.err
    assert "Traceback" not in outcome.err
    assert not list(tmp_path.rglob("meta"))


def test_points_keep_apart_what_depends_on_them() -> None:
    cfg = OmegaConf.create(
        {
            "paths": {"run_dir": "run", "tuning": "store/tuning", "store": "store"},
            "shape": None,
            "points": {"setting": "shape", "at": [[7, 7], None], "label": "d"},
        }
    )
    asked = points_of(cfg)
    assert asked is not None
    small = at_point(cfg, asked, [7, 7])
    assert (small.paths.run_dir, small.paths.tuning) == (
        "run/points/7x7",
        "run/points/7x7/tuning",
    )
    assert small.paths.store == "store"
    assert list(small["shape"]) == [7, 7]
    assert cfg["shape"] is None
    cfg.points.setting = "shade"
    mistaken = points_of(cfg)
    assert mistaken is not None
    with pytest.raises(InvalidInput, match="shade"):
        at_point(cfg, mistaken, None)

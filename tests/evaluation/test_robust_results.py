"""Accuracies, their minimum and spread, and the signs of obfuscated gradients, by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from zol2l.evaluation.results import beside
from zol2l.evaluation.robust_results import (
    accuracies,
    gradient_checks,
    mean_losses,
    read_robust,
    summarize_robust,
    write_robust,
)
from zol2l.reporting.robust_tables import losses_table

KNOWN = {
    ("a", 0, "natural"): [1, 1, 1, 1],
    ("a", 0, "pgd10"): [1, 1, 0, 0],
    ("a", 0, "pgd100"): [0, 1, 1, 0],
    ("a", 1, "natural"): [1, 1, 1, 0],
    ("a", 1, "pgd10"): [1, 0, 0, 0],
    ("a", 1, "pgd100"): [0, 0, 0, 0],
    ("b", 0, "natural"): [1, 1, 0, 1],
    ("b", 0, "pgd10"): [0, 0, 0, 1],
    ("b", 0, "pgd100"): [1, 0, 0, 1],
}


def frame(method: str, seed: int, attacker: str, known: list[int], **more: object) -> pd.DataFrame:
    rows = {
        "method": method, "seed": seed, "attacker": attacker, "radius": 1.0,
        "instance": range(len(known)), "label": 0, "predicted": [1 - k for k in known],
        "correct": [bool(k) for k in known], "loss": 1.0,
    }  # fmt: skip
    return pd.DataFrame({**rows, **more})


@pytest.fixture
def rows(tmp_path: Path) -> pd.DataFrame:
    path = tmp_path / "results.parquet"
    write_robust(path, [frame(*key, known) for key, known in KNOWN.items()])
    return read_robust(path)


def test_accuracies_their_minimum_and_the_images_that_stand_everything(rows: pd.DataFrame) -> None:
    table = accuracies(rows)
    assert list(table.columns) == ["method", "seed", "natural", "pgd10", "pgd100", "min", "every"]
    assert table.iloc[:, 2:].to_numpy().tolist() == [
        [1, 0.5, 0.5, 0.5, 0.25],
        [0.75, 0.25, 0, 0, 0],
        [0.75, 0.25, 0.5, 0.25, 0.25],
    ]


def test_a_defense_tested_later_stands_beside_those_that_were_there(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "results.parquet"
    later = frame("a", 0, "natural", [0, 0, 0, 0])
    write_robust(path, beside(path, ["b"], {"c": later.assign(method="c"), "a": later}))
    both = read_robust(path)
    assert both["method"].cat.categories.tolist() == ["a", "b", "c"]
    table = accuracies(both).set_index("method")["natural"]
    assert table.to_dict() == {"a": 0, "b": 0.75, "c": 0}


def test_other_radii_are_no_part_of_the_accuracies(rows: pd.DataFrame) -> None:
    wide = frame("a", 0, "pgd10", [0, 0, 0, 0], radius=2.0)
    found, wanted = (accuracies(x).iloc[:, 1:] for x in (pd.concat([rows, wide]), rows))
    assert found.to_numpy().tolist() == wanted.to_numpy().tolist()


def test_losses_are_means_over_images_within_the_threat_model(rows: pd.DataFrame) -> None:
    wide = frame("a", 0, "pgd10", [0, 0], radius=2.0, loss=9.0)
    raised = rows.assign(loss=rows["instance"] + (rows["attacker"] == "pgd100"))
    table = mean_losses(pd.concat([raised, wide]))
    assert list(table.columns) == ["method", "seed", "natural", "pgd10", "pgd100"]
    assert table.iloc[:, 2:].to_numpy().tolist() == [[1.5, 1.5, 2.5]] * 3


def test_the_strongest_attack_on_each_classifier_is_bold(rows: pd.DataFrame) -> None:
    raised = rows.assign(loss=rows["seed"] + (rows["attacker"] == "pgd100"))
    table = losses_table(mean_losses(raised))
    assert [list(column.cells) for column in table.columns] == [
        ["a", "b"],
        ["0.500\n± 0.707", "0.000"],
        ["0.500\n± 0.707", "0.000"],
        ["[bold]1.500[/bold]\n± 0.707", "[bold]1.000[/bold]"],
    ]


def test_the_summary_has_the_lowest_over_seeds(rows: pd.DataFrame) -> None:
    summary = summarize_robust(accuracies(rows)).set_index(["method", "attacker"])
    assert summary.loc[("a", "pgd10"), "lowest"] == 0.25
    assert summary.loc[("a", "pgd10"), "mean"] == 0.375
    assert summary.loc[("a", "pgd10"), "std"] == pytest.approx(0.25 / 2**0.5)
    assert summary.loc[("a", "min"), "lowest"] == 0 and summary.loc[("a", "min"), "mean"] == 0.25
    assert pd.isna(summary.loc[("b", "min"), "std"])
    assert list(summary["seeds"].unique()) == [2, 1]


def test_more_steps_must_not_help_the_defense(rows: pd.DataFrame) -> None:
    checks = gradient_checks(rows, transfer=[]).set_index("method")
    assert checks["more_steps"].to_dict() == {"a": True, "b": False}
    assert list(checks.columns) == ["more_steps"]


@pytest.mark.parametrize(("known", "honest"), [([1, 1, 1, 0], True), ([0, 0, 0, 0], False)])
def test_a_transfer_attack_must_not_be_the_strongest(
    rows: pd.DataFrame, known: list[int], honest: bool
) -> None:
    seen = [rows[rows["method"] == "b"], frame("b", 0, "net", known)]
    checks = gradient_checks(pd.concat(seen), transfer=["net"])
    assert checks["black_box"].tolist() == [honest]


@pytest.mark.parametrize(("losses", "honest"), [((0.5, 2.0), True), ((1.5, 2.0), False)])
def test_the_loss_must_rise_with_the_radius(
    rows: pd.DataFrame, losses: tuple[float, float], honest: bool
) -> None:
    other = [
        frame("b", 0, "pgd10", [0, 0], radius=radius, loss=loss)
        for radius, loss in zip((0.5, 2.0), losses, strict=True)
    ]
    checks = gradient_checks(pd.concat([rows[rows["method"] == "b"], *other]), transfer=[])
    assert checks["radius"].tolist() == [honest]

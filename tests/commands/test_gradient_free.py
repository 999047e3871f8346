"""A function of the user's, known by its values alone, is learned on from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Zol2l
from zol2l.evaluation.results import read_results

FUNCTION = (
    "optimizee=function",
    "optimizee.family.function=tests.functions.terraced_sphere",
    "optimizee.family.numpy=true",
    "optimizee.family.smoothing=0.2",
    "scale=smoke",
    "logger=csv",
)
FOLDER = "outputs/tests.functions.terraced_sphere-smoke"
STAGE = "meta/zo_lstm/update"


def test_an_optimizer_is_learned_and_evaluated_without_gradients(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    learn = ("meta-train", *FUNCTION, "ablation=no_query", "meta_gradient=coordinatewise")
    outcome = zol2l(*learn, "meta_training.gradient.smoothing=0.3")
    assert outcome.status == 0, outcome.err
    stage = tmp_path / FOLDER / STAGE
    settings = json.loads((stage / "settings.json").read_text())
    gradient = settings["meta_training"]["gradient"]
    assert gradient["_target_"] == "CoordinatewiseGradient"
    assert gradient["smoothing"] == 0.3
    assert len(settings["victim_weights"]) == 12
    again = zol2l(*learn)
    assert again.status == 2, "another mu is another training"
    assert "smoothing" in again.err
    outcome = zol2l("evaluate", *FUNCTION, "ablation=no_query")
    assert outcome.status == 0, outcome.err
    assert read_results(tmp_path / FOLDER / "results.parquet")["loss"].notna().all()


def test_autograd_refuses_it_and_claims_nothing(zol2l: Zol2l, tmp_path: Path) -> None:
    outcome = zol2l("meta-train", *FUNCTION, "ablation=no_query")
    assert outcome.status == 2
    assert "meta_gradient=coordinatewise" in outcome.err
    assert not (tmp_path / FOLDER / STAGE / "settings.json").exists()


def test_stages_of_before_there_was_a_choice_are_recognised(zol2l: Zol2l, tmp_path: Path) -> None:
    """They were trained by autograd, and their settings do not say so."""
    common = ("meta-train", "optimizee=quadratic", "scale=smoke", "logger=csv", "ablation=no_query")
    assert zol2l(*common).status == 0
    path = tmp_path / "outputs/quadratic-smoke" / STAGE / "settings.json"
    settings = json.loads(path.read_text())
    assert settings["meta_training"].pop("gradient") == {}
    path.write_text(json.dumps(settings))
    outcome = zol2l(*common)
    assert outcome.status == 0, outcome.err
    assert "is there" in outcome.out + outcome.err
    other = zol2l(*common, "meta_gradient=coordinatewise")
    assert other.status == 2
    assert "CoordinatewiseGradient" in other.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["meta_gradient=coordinatewise", "meta_training.gradient.smoothing=-1"], "smoothing=-1"),
        (["meta_gradient=coordinatewise", "meta_training.gradient.chunk=0"], "chunk=0"),
        (["meta_gradient=finite"], "coordinatewise"),
        (["optimizee.family.function=tests.functions.spere"], "no such function"),
    ],
)
def test_what_is_wrong_is_named(zol2l: Zol2l, change: list[str], told: str) -> None:
    outcome = zol2l("meta-train", *FUNCTION, "ablation=no_query", *change)
    assert outcome.status == 2
    assert told in outcome.err
    assert "Traceback" not in outcome.err


def test_a_function_must_be_named(zol2l: Zol2l) -> None:
    outcome = zol2l("evaluate", "optimizee=function", "scale=smoke", "logger=csv")
    assert outcome.status == 2
    assert "optimizee.family.function" in outcome.err

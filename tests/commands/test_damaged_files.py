"""What can be made again is set aside, named and made again; what cannot is named in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Outcome, Zol2l
from zol2l.storage.json_files import read_json

QUADRATIC = ("optimizee=quadratic", "scale=smoke", "logger=csv")
RUN = Path("outputs/quadratic-smoke")
TUNED = RUN / "tuning/zo_sgd/tuned.json"


def done(outcome: Outcome) -> str:
    assert outcome.status == 0, outcome.err
    return " ".join((outcome.out + outcome.err).split())


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_weights_tuning_and_results_are_made_again(zol2l: Zol2l) -> None:
    commands = {
        "meta-train": ("ablation=no_query",),
        "tune": ("baseline=zo_sgd",),
        "evaluate": ("baseline=zo_sgd", "ablation=no_query"),
    }
    for command, chosen in commands.items():
        done(zol2l(command, *QUADRATIC, *chosen))
    expected, tuned = pd.read_parquet(RUN / "results.parquet"), read_json(TUNED)["settings"]
    weights = RUN / "meta/zo_lstm/update/weights.safetensors"
    (part,) = RUN.glob("parts/zo_sgd-*.parquet")
    half(weights)
    half(part)
    TUNED.write_text("{}")
    for file, remedy in ((weights, "delete it and run"), (TUNED, "run `zol2l tune` again")):
        chosen = "ablation=no_query" if file == weights else "baseline=zo_sgd"
        outcome = zol2l("evaluate", *QUADRATIC, chosen)
        assert outcome.status == 2
        assert f"{file}: " in outcome.err and remedy in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1
    for (command, chosen), file in zip(commands.items(), (weights, TUNED, part), strict=True):
        told = done(zol2l(command, *QUADRATIC, *chosen))
        assert f"{file} " in told and f"the old one is {file.name}.damaged" in told
    pd.testing.assert_frame_equal(pd.read_parquet(RUN / "results.parquet"), expected)
    assert read_json(TUNED)["settings"] == tuned


@pytest.mark.parametrize("content", ["[]", "{}", '{"meta_training": {'])
def test_a_folder_whose_settings_are_lost_is_refused_with_the_remedy(
    zol2l: Zol2l, content: str
) -> None:
    settings = RUN / "tuning/zo_sgd/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(content)
    outcome = zol2l("tune", *QUADRATIC, "baseline=zo_sgd")
    assert outcome.status == 2
    assert f"{settings}: " in outcome.err
    assert f"delete {settings.parent}, or set run_name" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "method", "problem", "which"),
    [
        ("attack", "attack=square", "digits_linf", ".images.safetensors"),
        ("attack", "attack=square", "digits_linf", ".parquet"),
        ("evaluate", "baseline=zo_sgd", "digits_attack", ".pictures.safetensors"),
    ],
)
def test_results_and_pictures_are_made_again(
    zol2l: Zol2l, command: str, method: str, problem: str, which: str
) -> None:
    given = (command, f"optimizee={problem}", method, "scale=smoke", "logger=csv")
    run = Path(f"outputs/{problem}-smoke")
    done(zol2l(*given))
    expected = pd.read_parquet(run / "results.parquet")
    (file,) = run.glob(f"parts/{method.partition('=')[2]}-*{which}")
    half(file)
    assert f"{file} cannot be read" in done(zol2l(*given))
    pd.testing.assert_frame_equal(pd.read_parquet(run / "results.parquet"), expected)
    assert {path.name for path in file.parent.glob("*.damaged")} == {f"{file.name}.damaged"}
    assert "damaged" not in done(zol2l(*given))


@pytest.mark.parametrize(
    ("which", "told", "left"),
    [
        ("results.parquet", "of square give the commands again", ["nes_pgd"]),
        ("made_of.json", "a new table, without square", ["nes_pgd"]),
        ("pictures/square.safetensors", "no pictures of square", ["square", "nes_pgd"]),
    ],
)
def test_a_table_is_begun_anew_and_its_losses_are_named(
    zol2l: Zol2l, which: str, told: str, left: list[str]
) -> None:
    given = ("attack", "optimizee=digits_linf", "scale=smoke", "logger=csv")
    run = Path("outputs/digits_linf-smoke")
    done(zol2l(*given, "attack=square"))
    half(run / which)
    said = done(zol2l(*given, "attack=nes_pgd"))
    assert f"{run / which} cannot be read" in said and told in said
    assert list(pd.read_parquet(run / "results.parquet")["method"].unique()) == left
    done(zol2l(*given, "attack=square"))
    assert pd.read_parquet(run / "results.parquet")["method"].nunique() == 2


def test_a_stage_stands_on_weights_that_were_made_again(zol2l: Zol2l) -> None:
    given = ("meta-train", *QUADRATIC, "ablation=none")
    done(zol2l(*given))
    half(RUN / "meta/zo_lstm/update/weights.safetensors")
    said = done(zol2l(*given))
    assert "It is made again" in said and "Learned sampling of zo_lstm is there" in said


@pytest.mark.parametrize("player", ["classifier", "maximizer"])
def test_a_defense_is_trained_again(zol2l: Zol2l, player: str) -> None:
    given = (
        "adv-train", "defense=rnn_adv", "scale=smoke", "logger=csv", "recipe.train=60",
        "recipe.training.batch_size=20", "recipe.training.epochs=1", "recipe.training.held_out=0",
    )  # fmt: skip
    done(zol2l(*given))
    (file,) = Path("outputs").glob(f"*/defenses/rnn_adv/seed0/{player}.safetensors")
    half(file)
    assert f"{file} cannot be read" in done(zol2l(*given))
    assert "is there" in done(zol2l(*given))
    if player == "maximizer":
        file.unlink()
        assert "Trained rnn_adv" in done(zol2l(*given))

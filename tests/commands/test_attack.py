"""`zol2l attack` and tuning of attacks, on digits."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from tests.commands.conftest import Zol2l
from zol2l.commands import objects, surrogate
from zol2l.commands.build import CONF
from zol2l.commands.checks import check_settings
from zol2l.commands.options import entries
from zol2l.errors import InvalidInput

ATTACKS = sorted(entries(CONF, "attack"))
SMALL = {
    "zoo": ("attack.attack.optimizer.sampling.directions=16",),
    "zoo_imagenet": (
        "attack.attack.optimizer.sampling.directions=16",
        "attack.attack.optimizer.sampling.channels=1",
        "attack.attack.sides=[4,8,16]",
        "attack.attack.grow_at=[1,2]",
    ),
}
SMOKE = ("optimizee=digits_linf", "scale=smoke", "logger=csv")
RUN = Path("outputs/digits_linf-smoke")


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_runs_within_its_budget(zol2l: Zol2l, tmp_path: Path, name: str) -> None:
    outcome = zol2l("attack", *SMOKE, f"attack={name}", *SMALL.get(name, ()))
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / RUN / "results.parquet")
    assert len(rows) == 3
    assert rows["queries"].max() <= 300
    assert rows["outside_ball"].max() <= 1e-6
    assert rows["outside_box"].max() == 0
    for written in ("summary.csv", "figures/success_vs_queries.png", "attack.json"):
        assert (tmp_path / RUN / written).is_file()


@pytest.mark.parametrize("command", ["attack", "tune", "reproduce"])
def test_a_budget_below_a_first_step_is_refused_before_anything_is_trained(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(objects, "_build_family", lambda _: pytest.fail("a victim was asked for"))
    experiment = ("experiment=ngd_table1_mnist",) if command == "reproduce" else ()
    chosen = ("attack=nes_pgd", "attacking.budget=51", *experiment)
    outcome = zol2l(command, *SMOKE, *chosen)
    told = "attacking.budget=51: at least one step of nes_pgd and a check, 52 queries"
    assert (outcome.status, outcome.err) == (2, f"zol2l {command}: {told}\n")
    assert not list(tmp_path.glob("outputs/*/results.parquet"))


def smoke(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", ["scale=smoke", "optimizee=digits_linf", *overrides])


@pytest.mark.parametrize("name", ATTACKS)
def test_the_budget_of_smoke_pays_for_a_first_step(name: str) -> None:
    cfg = smoke(f"attack={name}")
    assert cfg.attacking.budget == 300
    check_settings("attack", cfg, {}, [])


def test_what_a_first_step_costs_is_told_with_its_attack() -> None:
    with pytest.raises(InvalidInput, match=r"=257: .* of zoo_imagenet and a check, 258 queries"):
        check_settings("attack", smoke("attack=zoo_imagenet", "attacking.budget=257"), {}, [])


def test_the_threat_model_is_an_option(zol2l: Zol2l, tmp_path: Path) -> None:
    ball = ("threat@optimizee.family.threat=l2", "optimizee.family.threat.eps=1.5")
    outcome = zol2l("attack", *SMOKE, "attack=zo_ngd", "attacking.budget=400", *ball)
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / RUN / "results.parquet")
    assert rows["l2"].max() <= 1.5 + 1e-6
    assert rows["outside_ball"].max() <= 1e-6


def test_every_fisher_information_is_an_option(zol2l: Zol2l, tmp_path: Path) -> None:
    names = sorted(entries(CONF, "information"))
    assert len(names) == 5
    chosen = []
    for name in names:
        group = f"information@attacks.{name}.attack.optimizer.estimator.information={name}"
        chosen += [f"+attack@attacks.{name}=zo_ngd", group, f"attacks.{name}.name={name}"]
    outcome = zol2l("attack", *SMOKE, *chosen)
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / RUN / "results.parquet")
    assert sorted(set(rows["method"])) == names
    assert rows.groupby("instance")["l2"].nunique().min() > 1


def test_attacks_add_up_in_one_table_while_the_protocol_is_the_same(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    def table(*chosen: str) -> tuple[list[str], str]:
        outcome = zol2l("attack", *SMOKE, *chosen)
        assert outcome.status == 0, outcome.err
        rows = pd.read_parquet(tmp_path / RUN / "results.parquet")
        names = rows["method"].astype(str).unique().tolist()
        assert pd.read_csv(tmp_path / RUN / "summary.csv")["method"].tolist() == names
        made = json.loads((tmp_path / RUN / "made_of.json").read_text())
        assert sorted(made["methods"]) == sorted(names)
        pictures = (tmp_path / RUN / "pictures").glob("*.safetensors")
        assert sorted(path.stem for path in pictures) == sorted(names)
        return names, outcome.out + outcome.err

    assert table("attack=square")[0] == ["square"]
    names, told = table("attack=nes_pgd")
    assert names == ["square", "nes_pgd"] and "beside square, as they were" in told
    assert "│ square " in told and "│ nes_pgd " in told
    before = pd.read_parquet(tmp_path / RUN / "results.parquet").query("method == 'nes_pgd'")
    names, _ = table("attack=square", "attack.attack.share=0.1")
    after = pd.read_parquet(tmp_path / RUN / "results.parquet").query("method == 'nes_pgd'")
    assert names == ["square", "nes_pgd"]
    pd.testing.assert_frame_equal(before.reset_index(drop=True), after.reset_index(drop=True))
    names, told = table("attack=square", "attacking.seed=1")
    assert names == ["square"]
    assert "a new table, without square, nes_pgd: attacking.seed=1, before 0" in told


def test_a_tuned_attack_is_run_as_tuned_and_once(zol2l: Zol2l, tmp_path: Path) -> None:
    chosen = (*SMOKE, "attack=nes_pgd", "attack.attack.optimizer.sampling.directions=5")
    assert zol2l("tune", *chosen).status == 0
    tuned = json.loads((tmp_path / RUN / "tuning/nes_pgd/tuned.json").read_text())
    trials = {trial["optimizer.update.rate"]: trial["value"] for trial in tuned["trials"]}
    best = tuned["settings"]["optimizer.update.rate"]
    assert trials[best] == min(trials.values()) == tuned["penalized_queries"]
    first = zol2l("attack", *chosen)
    assert f"{best}" in first.out + first.err
    rows = pd.read_parquet(tmp_path / RUN / "results.parquet")
    (part,) = (tmp_path / RUN / "parts").glob("nes_pgd-*.parquet")
    written = part.stat().st_mtime_ns
    assert zol2l("attack", *chosen).status == 0
    assert part.stat().st_mtime_ns == written
    pd.testing.assert_frame_equal(rows, pd.read_parquet(tmp_path / RUN / "results.parquet"))
    assert zol2l("attack", *chosen, "attacking.seed=5").status == 0
    assert len(list((tmp_path / RUN / "parts").glob("nes_pgd-*.parquet"))) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("optimizee=digits_attack", "attack=square"),
            "optimizee=digits_attack: one with a threat",
        ),
        (("optimizee=digits_linf",), "attack=None: name one"),
        (("optimizee=digits_linf", "attack=sqare"), "sqare"),
        (("optimizee=digits_linf", "attack=square", "attacking.images=5000"), "attacking.images"),
        (("optimizee=digits_linf", "attack=square", "attack.attack.steps=0"), "attack.steps=0"),
        (("optimizee=digits_linf", "attack=square", "attack.attack.steps=many"), "whole number"),
        (
            ("optimizee=digits_linf", "attack=square", "optimizee.family.threat.eps=-1"),
            "threat.eps=-1",
        ),
        (
            ("optimizee=digits_linf", "attack=square", "optimizee.family.threat.eps=8"),
            "threat.eps=8",
        ),
        (
            ("optimizee=digits_linf", "attack=square", "optimizee.family.kappa=big"),
            "optimizee.family.kappa=big: must be a finite number",
        ),
        (("optimizee=digits_linf", "attack=square", "+attack.attack.kappa=1"), "kappa=1: no"),
        (
            ("optimizee=digits_linf", "+attack@attacks.a=square", "+attack@attacks.b=square"),
            "attack.name=square: two attacks",
        ),
    ],
)
def test_bad_input_is_one_clear_line(zol2l: Zol2l, arguments: tuple[str, ...], told: str) -> None:
    outcome = zol2l("attack", "scale=smoke", "logger=csv", *arguments)
    assert outcome.status == 2
    assert told in outcome.err
    assert "Traceback" not in outcome.err


def test_the_victim_labels_images_for_a_surrogate_once(
    zol2l: Zol2l, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attacked() -> str:
        monkeypatch.setattr(surrogate, "_surrogates", {})
        outcome = zol2l("attack", *SMOKE, "attack=transfer_attack", "optimizee.victim.name=labels")
        assert outcome.status == 0, outcome.err
        return outcome.out

    kept = set((data_root / "labels").glob("*"))
    assert "has labelled" in attacked()
    (labels,) = set((data_root / "labels").glob("*.safetensors")) - kept
    assert "has labelled" not in attacked()
    labels.write_bytes(b"damaged")
    assert "has labelled" in attacked()

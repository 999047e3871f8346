"""The commands on a GPU, and what they say where there is none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.commands.conftest import Zol2l

QUIET = ("scale=smoke", "logger=csv")
gpu = pytest.mark.gpu
here = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "optimizee=quadratic", "baseline=zo_sgd"),
        ("train-victim", "optimizee=digits_attack"),
        ("adv-train", "defense=plain"),
    ],
)
def test_a_device_that_is_not_there_is_named(zol2l: Zol2l, arguments: tuple[str, ...]) -> None:
    outcome = zol2l(*arguments, *QUIET, "trainer=gpu")
    assert outcome.status == 2
    assert "trainer.accelerator=gpu: no CUDA device" in outcome.err


@gpu
@here
@pytest.mark.parametrize("optimizee", ["digits_attack", "binary_classification", "quadratic"])
def test_methods_are_trained_tuned_and_evaluated(
    zol2l: Zol2l, tmp_path: Path, optimizee: str
) -> None:
    chosen = (f"optimizee={optimizee}", "experiment_name=gpu", "trainer=gpu")
    outcome = zol2l("reproduce", *QUIET, *chosen)
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / f"outputs/{optimizee}-smoke/results.parquet")
    assert rows["loss"].notna().all()
    assert set(rows["method"]) == {"zo_sgd", "zo_signsgd", "zo_adam", "zo_lstm"}


@gpu
@here
def test_attacks_run_where_the_victim_does(zol2l: Zol2l, tmp_path: Path) -> None:
    names = ["zo_ngd", "zo_ngd_mnist", "nes_pgd", "square", "bandits_td", "pgd", "ngd", "zoo",
             "carlini_wagner", "transfer_attack"]  # fmt: skip
    chosen = [f"+attack@attacks.{name}={name}" for name in names]
    few = "attacks.zoo.attack.optimizer.sampling.directions=16"
    options = ("optimizee=digits_linf", "attacking.budget=300", "trainer=gpu", few)
    outcome = zol2l("attack", *QUIET, *options, *chosen)
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / "outputs/digits_linf-smoke/results.parquet")
    assert set(rows["method"]) == set(names)
    assert rows["outside_ball"].max() <= 1e-6


@gpu
@here
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_robust_classifiers_are_trained_and_attacked(
    zol2l: Zol2l, tmp_path: Path, precision: str
) -> None:
    chosen = ("defense=rnn_trades", "~attackers.l2lda", "trainer=gpu")
    for command in ("adv-train", "adv-evaluate"):
        outcome = zol2l(command, *QUIET, *chosen, f"trainer.precision={precision}")
        assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / "outputs/digits_small_convnet-smoke/results.parquet")
    assert rows["loss"].notna().all()
    assert rows.loc[rows["attacker"] == "natural", "correct"].mean() > 0.3

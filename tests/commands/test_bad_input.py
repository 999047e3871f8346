"""Bad input gets one clear error that names field, value and what is allowed, and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.commands.conftest import Zol2l
from zol2l.machine import memory
from zol2l.storage.learned_weights import save_part
from zol2l.updates import UpdateRNN


@pytest.fixture
def quicker() -> None:
    """Nothing: errors in a configuration are met as users meet them."""


QUADRATIC = ("optimizee=quadratic", "scale=smoke", "logger=csv")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["baseline=zo_sdg"], [": baseline=zo_sdg: no such option; did you mean zo_sgd?"]),
        (["optimizee=mnits"], ["optimizee=mnits: no such option; did you mean mnist_attack or "]),
        (["optimizee=attack"], ["optimizee=attack: others build on it; take one of binary_cl"]),
        (["optimizee=function"], ["optimizee.family.function=???: has no default", "file.name"]),
        (["estimator.smoothing=1"], ["methods.zo_sgd.optimizer.estimator.smoothing=?"]),
        (
            ["baseline=zo_sgd", "baseline.optimizer.estimator.smoothing=-1"],
            [": baseline.optimizer.estimator.smoothing=-1: a smoothing parameter mu > 0"],
        ),
        (["baseline=zo_sgd", "optimizee.directions=0"], [": optimizee.directions=0: at least 1"]),
        (
            ["baseline=zo_sgd", "baseline.optimizer.update.rate=0"],
            [": baseline.optimizer.update.rate=0: a positive"],
        ),
        (["baseline=zo_sgd", "evaluation.budget=5"], ["evaluation.budget=5", "7 queries"]),
        (["baseline=zo_sgd", "+evaluation.chunk=0"], ["evaluation.chunk=0", "at least 1, or null"]),
        (["baseline=zo_sgd", "evaluation.trials=0"], ["evaluation.trials=0", "at least 1"]),
        (["baseline=zo_sgd", "evaluation.instances=99"], ["instances=99", "at most"]),
        (["baseline=zo_sgd", "evaluation.step=1"], ["step"]),
        (["baseline=zo_sgd", "optimizee.family.dimension=0"], ["dimension=0", "at least 1"]),
        (
            ["baseline=zo_sgd", f"optimizee.family.dimension={10**10}"],
            [f"n={10**10}: ", "are free"],
        ),
        (
            ["baseline=zo_sgd", "+baseline.optimizer.update.momentum=1"],
            ["baseline.optimizer.update.momentum=1: no such setting; there are rate"],
        ),
        (["ablation=none"], ["weights.safetensors: no such file", "zol2l meta-train"]),
        (
            ["optimizee=digits_attack", "baseline=zo_sgd", "optimizee.family.c=big"],
            ["optimizee.family.c=big: must be a finite number"],
        ),
        (
            ["optimizee=digits_attack", "baseline=zo_sgd", "+optimizee.family.cc=1"],
            ["optimizee.family.cc=1: no"],
        ),
        (["baseline=zo_scd", "optimizee.directions=99"], [": optimizee.directions=99: at most"]),
        (["optimizee=digits_attack", "optimizee.family.c=-1"], [": optimizee.family.c=-1: a we"]),
        (["evaluation.pictured=[]"], [": evaluation.pictured=[]: iterations between 0 and 4"]),
        (["evaluation.steps=1e30"], [": evaluation.steps=1e+30: must be a whole number"]),
        (["baseline=zo_sgd", "baseline.name=../x"], [": baseline.name=../x: a name of files"]),
        (["baseline=zo_sgd", f"baseline.name={'n' * 300}"], ["a name of 120 bytes at most"]),
        (["ablation=none", "+ablation.learned.foo=x"], ["update and sampling are learned"]),
    ],
)
def test_evaluate(zol2l: Zol2l, tmp_path: Path, arguments: list[str], told: list[str]) -> None:
    outcome = zol2l("evaluate", *QUADRATIC, *arguments)
    assert outcome.status == 2, outcome.err
    assert "Traceback" not in outcome.err
    for words in told:
        assert words in outcome.err
    assert not list(tmp_path.rglob("results.parquet"))
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("train-victim", ["optimizee=quadratic"], ["optimizee=quadratic", "no victim"]),
        (
            "train-victim",
            ["optimizee=digits_attack", "+optimizee.victim.training.momentum=0.5"],
            ["optimizee.victim.training.momentum=0.5", "batch_size, augment, seed"],
        ),
        ("train-victim", ["paths.data_root=nowhere"], ["data_root=nowhere", "ZOL2L_DATA_DIR"]),
        ("meta-train", [*QUADRATIC, "ablation=none", "size.window=3"], ["size"]),
        ("meta-train", [*QUADRATIC, "meta_training.truncation.window=3"], ["horizon=4", "=3"]),
        ("meta-train", [*QUADRATIC, "meta_training.batch_size=0"], ["batch_size=0", "between 1"]),
        ("tune", [*QUADRATIC, "ablation=none"], ["nothing to tune"]),
        ("tune", [*QUADRATIC, f"paths.outputs={__file__}"], [__file__, "Not a directory"]),
        ("tune", [*QUADRATIC, "tuning.objective=loss"], ["objective=loss", "final_loss"]),
        ("reproduce", [], ["experiment", "zol2l list"]),
        ("reproduce", ["experiment=fig2"], ["did you mean fig2_cifar10 or fig2_mnist?"]),
        ("reproduce", ["experiment=quickstart", "points=5"], [": points=5: {setting: KEY, at:"]),
        (
            "reproduce",
            ["experiment=quickstart", "attack=square"],
            [": optimizee=digits_attack: one with a threat model"],
        ),
        (
            "meta-train",
            [*QUADRATIC, "meta_training.rate.update=0"],
            [": meta_training.rate.update=0: a positive"],
        ),
        (
            "meta-train",
            [*QUADRATIC, "optimizer=finetune", "finetuning.meta_steps.update=0"],
            [": finetuning.meta_steps.update=0: at least 1"],
        ),
        (
            "train-victim",
            ["optimizee.victim.training.epochs=x"],
            ["training.epochs=x: must be"],
        ),
        ("adv-train", ["defense=rnn_adv", "recipe.steps=0"], [": recipe.steps=0: at least 1"]),
        ("evalute", [], ["evalute", "evaluate"]),
    ],
)
def test_commands(zol2l: Zol2l, command: str, arguments: list[str], told: list[str]) -> None:
    outcome = zol2l(command, *arguments)
    assert outcome.status == 2, outcome.err
    assert "Traceback" not in outcome.err
    for words in told:
        assert words in outcome.err


def test_memory_that_is_not_given_is_one_error(
    zol2l: Zol2l, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing says beforehand how much is free."""
    monkeypatch.setattr(memory, "available", lambda: None)
    outcome = zol2l(
        "evaluate", *QUADRATIC, "baseline=zo_sgd", f"optimizee.family.dimension={10**13}"
    )
    assert outcome.status == 2, outcome.err
    assert "zol2l evaluate: memory=218.3 TiB: could not be allocated; ask for less" in outcome.err


def test_weights_of_another_architecture_are_refused(zol2l: Zol2l, tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "outputs/quadratic-smoke/meta/zo_lstm/update/weights.safetensors"
    save_part(path, UpdateRNN(hidden=3), {})
    outcome = zol2l("evaluate", *QUADRATIC, "ablation=no_query")
    assert outcome.status == 2
    assert "another architecture" in outcome.err
    assert str(path.relative_to(tmp_path)) in outcome.err


def test_a_run_folder_refuses_other_settings_and_names_the_field(zol2l: Zol2l) -> None:
    assert zol2l("tune", *QUADRATIC, "baseline=zo_sgd").status == 0
    outcome = zol2l("tune", *QUADRATIC, "baseline=zo_sgd", "optimizee.family.condition=3")
    assert outcome.status == 2
    assert "condition=3" in outcome.err
    assert "10.0" in outcome.err


@pytest.mark.parametrize("name", ["../../escape", "/escape"])
def test_nothing_is_written_elsewhere(zol2l: Zol2l, tmp_path: Path, name: str) -> None:
    outcome = zol2l("evaluate", *QUADRATIC, f"run_name={name}")
    assert outcome.status == 2
    assert outcome.err.startswith(f"zol2l evaluate: run_name={name}: a folder below")
    assert list(tmp_path.iterdir()) == []


def test_a_node_without_a_number(zol2l: Zol2l, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_RANK", "abc")
    outcome = zol2l("evaluate", *QUADRATIC, "baseline=zo_sgd")
    assert outcome.status == 2
    assert outcome.err.startswith("zol2l evaluate: NODE_RANK=abc: the number of this node")

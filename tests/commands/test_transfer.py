"""Section 4.3: a learned optimizer is applied to, or fine-tuned on, another problem."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.commands.conftest import Zol2l
from zol2l.evaluation.results import read_results
from zol2l.storage.weights_file import read_signed
from zol2l.zo_lstm import ZOLSTM

SMOKE = ("scale=smoke", "logger=csv")
SOURCE = "outputs/quadratic-smoke/meta/zo_lstm"


@pytest.fixture
def learned(zol2l: Zol2l) -> Zol2l:
    assert zol2l("meta-train", *SMOKE, "optimizee=quadratic", "ablation=none").status == 0
    return zol2l


def test_transfer_at_scale_1_is_the_optimizer_itself(learned: Zol2l, tmp_path: Path) -> None:
    run = ("evaluate", *SMOKE, "optimizee=quadratic")
    assert learned(*run, "ablation=none", "run_name=own").status != 0
    assert learned(*run, "ablation=none").status == 0
    transfer = ("optimizer=transfer", f"optimizer.source={SOURCE}")
    assert learned(*run, *transfer, "run_name=other").status == 0
    own = read_results(tmp_path / "outputs/quadratic-smoke/results.parquet")
    other = read_results(tmp_path / "outputs/other-smoke/results.parquet")
    pd.testing.assert_frame_equal(own.drop(columns="method"), other.drop(columns="method"))


def test_alpha_is_tuned_on_another_problem(learned: Zol2l, tmp_path: Path) -> None:
    problem = (*SMOKE, "optimizee=binary_classification")
    transfer = ("optimizer=transfer", f"optimizer.source={SOURCE}")
    outcome = learned("tune", *problem, *transfer)
    assert outcome.status == 0, outcome.err
    outcome = learned("evaluate", *problem, *transfer)
    assert outcome.status == 0, outcome.err
    assert "transfer: {'scale':" in outcome.out + outcome.err
    weights = sorted(tmp_path.glob("outputs/binary*/meta/**/*.safetensors"))
    assert not weights, "nothing is learned here"


def test_fine_tuning_starts_from_the_source(learned: Zol2l, tmp_path: Path) -> None:
    tune = ("meta-train", *SMOKE, "optimizee=binary_classification", "optimizer=finetune")
    still = [f"meta_training.rate.{part}=1e-12" for part in ("update", "sampling")]
    outcome = learned(*tune, *still, f"optimizer.source={SOURCE}")
    assert outcome.status == 0, outcome.err
    for part in ("update", "sampling"):
        file = f"{part}/weights.safetensors"
        before, _ = read_signed(tmp_path / SOURCE / file)
        folder = "outputs/binary_classification-smoke/meta/finetune"
        after, _ = read_signed(tmp_path / folder / file)
        for name, weight in before.items():
            torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-9)
    other = learned("meta-train", *SMOKE, "optimizee=quadratic", "run_name=b", "seed=1")
    assert other.status == 0, other.err
    changed = learned(*tune, *still, "optimizer.source=outputs/b-smoke/meta/zo_lstm")
    assert changed.status == 2
    assert "starts_from" in changed.err


@pytest.mark.parametrize("option", ["transfer", "finetune"])
def test_a_source_that_is_not_there_is_named(zol2l: Zol2l, option: str) -> None:
    command = "meta-train" if option == "finetune" else "evaluate"
    for source, told in (("nowhere/zo_lstm", "nowhere"), ("pretrained/mnits", "mnits")):
        run = (command, *SMOKE, "optimizee=quadratic", f"optimizer={option}")
        outcome = zol2l(*run, f"optimizer.source={source}")
        assert outcome.status == 2
        assert told in outcome.err
        assert "Traceback" not in outcome.err


def test_zolstm_takes_up_a_folder(learned: Zol2l, tmp_path: Path) -> None:
    optimizer = ZOLSTM.from_pretrained(tmp_path / SOURCE, directions=5, scale=2.0)
    weights, _ = read_signed(tmp_path / SOURCE / "update/weights.safetensors")
    for name, weight in optimizer.update.state_dict().items():
        assert torch.equal(weight, weights[name])
    assert not optimizer.training
    theta = torch.zeros(2, 3)
    assert optimizer.init(theta).theta is theta
    assert optimizer.sampling.directions == 5
    plain = ZOLSTM.from_pretrained(tmp_path / SOURCE)
    seen = type("Estimate", (), {"gradient": torch.randn(2, 3)})
    state = plain.update.init(theta)
    once, _ = plain.update(seen, state)
    twice, _ = optimizer.update(seen, state)
    torch.testing.assert_close(twice, 2 * once)

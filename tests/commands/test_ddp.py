"""Commands on two devices, and on two nodes, do what one process does on the joined batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.commands.conftest import Zol2l
from tests.commands.test_sigkill import kill_after_checkpoints
from tests.wandb_reader import read_run
from zol2l.storage.learned_weights import read_card_of

META = ("meta-train", "optimizee=quadratic", "scale=smoke", "trainer=ddp")
STAGE = "meta/zo_lstm/update"
ROBUST = (
    "adv-train", "defense=rnn_adv", "scale=smoke", "logger=csv", "recipe.train=60",
    "recipe.training.held_out=20", "recipe.training.epochs=2", "network.network.dropout=0",
)  # fmt: skip


def weights(file: Path) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in load_file(file).values()])


def test_adversarial_training_on_two_devices_is_that_of_one(zol2l: Zol2l) -> None:
    """The seeds of attacks belong to instances, so weights and accuracies are the same."""
    for name, more in {
        "one": ("recipe.training.batch_size=20",),
        "two": ("recipe.training.batch_size=10", "trainer=ddp"),
    }.items():
        outcome = zol2l(*ROBUST, *more, f"run_name={name}")
        assert outcome.status == 0, outcome.err
    files = {}
    for name in ("one", "two"):
        (files[name],) = Path(f"outputs/{name}-smoke").rglob("classifier.safetensors")
    torch.testing.assert_close(*(weights(file) for file in files.values()), rtol=1e-4, atol=1e-5)
    learned = [weights(file.with_stem("maximizer")) for file in files.values()]
    torch.testing.assert_close(*learned, rtol=1e-4, atol=1e-5)
    cards = [read_card_of(file) for file in files.values()]
    assert cards[0]["validation"] == cards[1]["validation"]


def test_meta_training_on_two_devices_keeps_its_best_weights_and_curves(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))  # no key
    outcome = zol2l(*META, "logger=default")
    assert outcome.status == 0, outcome.err
    runs = {run.job_type: run for run in map(read_run, tmp_path.rglob("offline-run-*/*.wandb"))}
    assert set(runs) == {"meta-train-update", "meta-train-sampling"}, "one writer a stage"
    assert all(len(run.series("meta/loss")) == 3 and run.finished for run in runs.values())
    card = read_card_of(Path(f"outputs/quadratic-smoke/{STAGE}/weights.safetensors"))
    assert card["validation"]["meta_loss"] == pytest.approx(
        runs["meta-train-update"].series("val/meta_loss")[-1][1]
    )


@pytest.mark.slow
def test_two_devices_killed_and_resumed_are_the_same(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = (*META, "logger=csv", "sizes.smoke.update_steps=40", "sizes.smoke.sampling_steps=3")
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        if name == "killed":
            kill_after_checkpoints(Path("outputs/quadratic-smoke") / STAGE, 5, long)
        monkeypatch.delenv("MASTER_PORT", raising=False)  # that Lightning set; the killed one's
        outcome = zol2l(*long)
        assert outcome.status == 0, outcome.err
    mine, whole = (
        weights(tmp_path / name / "outputs/quadratic-smoke" / STAGE / "weights.safetensors")
        for name in ("killed", "whole")
    )
    assert torch.equal(mine, whole)


@pytest.mark.slow
def test_two_nodes_are_two_devices(zol2l: Zol2l) -> None:
    outcome = zol2l(*META, "logger=csv", "run_name=devices")
    assert outcome.status == 0, outcome.err
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nodes = (*META, "logger=csv", "trainer.devices=1", "trainer.num_nodes=2", "run_name=nodes")
    command = [sys.executable, "-c", "from zol2l.commands.cli import main; main()", *nodes]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    jobs = [
        subprocess.Popen(command, env={**os.environ, **shared, "NODE_RANK": str(rank)})
        for rank in range(2)
    ]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0]
    devices, nodes_ = (
        weights(Path(f"outputs/{name}-smoke/{STAGE}/weights.safetensors"))
        for name in ("devices", "nodes")
    )
    torch.testing.assert_close(devices, nodes_, rtol=1e-5, atol=1e-7)

"""SIGKILL at twenty random moments across all commands: every run ends as an unharmed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

QUICKSTART = (
    "reproduce", "experiment=quickstart", "scale=smoke", "logger=csv",
    "sizes.smoke.update_steps=40", "sizes.smoke.sampling_steps=40", "sizes.smoke.steps=40",
    "sizes.smoke.window=10",
)  # fmt: skip
"""train-victim, meta-train, tune and evaluate."""
ATTACKS = ("optimizee=digits_linf", "scale=smoke", "logger=csv", "sizes.smoke.attack_budget=600")
ROBUST = (
    "reproduce", "experiment=adv_table3_digits", "scale=smoke", "logger=csv", "seeds=[0]",
    "~defenses.l2lda", "~attackers.l2lda", "recipe.train=60", "recipe.training.batch_size=20",
    "recipe.checkpoint_seconds=0",
)  # fmt: skip
CHAINS = {
    "train-victim, meta-train, tune, evaluate": ((QUICKSTART,), 8),
    "tune, attack": (
        (("tune", "attack=zo_ngd", *ATTACKS), ("attack", "attack=bandits_td", *ATTACKS)),
        6,
    ),
    "adv-train, adv-evaluate": ((ROBUST,), 6),
}
LONGEST = 600.0


def started(arguments: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if k != "ZOL2L_DATA_DIR"}
    environment |= {"OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}
    command = [sys.executable, "-c", "from zol2l.commands.cli import main; main()", *arguments]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)


def finish(arguments: tuple[str, ...], folder: Path) -> float:
    """Run to the end; the seconds that it took."""
    began = time.monotonic()
    assert started(arguments, folder).wait(timeout=LONGEST) == 0
    return time.monotonic() - began


def kill_at(moment: float, arguments: tuple[str, ...], folder: Path) -> bool:
    """Kill after so many seconds; whether it was still running."""
    process = started(arguments, folder)
    try:
        return process.wait(timeout=moment) != 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def assert_same(killed: Path, whole: Path) -> None:
    """All tables and all weights, here and there."""
    tables = sorted(path.relative_to(whole) for path in whole.rglob("*.parquet"))
    weights = sorted(path.relative_to(whole) for path in whole.rglob("*.safetensors"))
    assert tables and weights
    for table in tables:
        mine, theirs = (pd.read_parquet(folder / table) for folder in (killed, whole))
        pd.testing.assert_frame_equal(mine, theirs)
    for file in weights:
        mine, theirs = (load_file(folder / file) for folder in (killed, whole))
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[k].nan_to_num(), theirs[k].nan_to_num()) for k in mine)
    left = {path.relative_to(killed) for path in killed.rglob("*.safetensors")} - set(weights)
    assert not [path for path in left if not path.name.startswith(".")], "a checkpoint was left"


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAINS)
def test_killed_at_random_moments_a_chain_ends_as_an_unharmed_one(
    name: str, tmp_path: Path
) -> None:
    commands, kills = CHAINS[name]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    moments = random.Random(name)
    for arguments in commands:
        seconds = finish(arguments, whole)
        alive = [
            kill_at(moments.uniform(0.3, 0.9) * seconds, arguments, killed)
            for _ in range(kills // len(commands))
        ]
        assert any(alive), "no process was killed"
        finish(arguments, killed)
    assert_same(killed, whole)

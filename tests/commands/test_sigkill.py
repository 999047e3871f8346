"""A meta-training command killed with SIGKILL in each stage ends where an unharmed one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.commands.conftest import Zol2l

ARGUMENTS = (
    "meta-train",
    "optimizee=quadratic",
    "logger=csv",
    "sizes.cpu.steps=20",
    "sizes.cpu.window=5",
    "sizes.cpu.update_steps=60",
    "sizes.cpu.sampling_steps=60",
    "sizes.cpu.validate_every=20",
)
PATIENCE = 120.0


ROBUST = (
    "adv-train", "defense=rnn_trades", "logger=csv", "recipe.train=300", "recipe.eps=0.1",
    "recipe.training.held_out=20", "recipe.training.epochs=3", "recipe.checkpoint_seconds=0",
)  # fmt: skip


def kill_after_checkpoints(stage: Path, count: int, arguments: tuple[str, ...] = ARGUMENTS) -> None:
    """Start the command; once `stage`'s checkpoint has been written `count` times, kill it."""
    program = "from zol2l.commands.cli import main; main()"
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # sums round differently with more
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env={**os.environ, **threads}
    )
    checkpoint, written, before = stage / "last.ckpt", 0, 0
    deadline = time.monotonic() + PATIENCE
    while written < count:
        assert process.poll() is None, "the command ended before it could be killed"
        assert time.monotonic() < deadline, f"{checkpoint} was not written {count} times"
        now = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        written, before = written + (now != before), now
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.fixture
def whole(zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Run a command to its end in a folder of its own, then go to an empty one."""

    def run(*arguments: str) -> Path:
        for name in ("whole", "killed"):
            (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / "whole")
        assert zol2l(*arguments).status == 0
        monkeypatch.chdir(tmp_path / "killed")
        return tmp_path / "whole"

    return run


def assert_same(file: Path, whole: Path) -> None:
    """The weights in a file, here and in the folder of the whole run, are the same bits."""
    mine, theirs = load_file(file), load_file(whole / file)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.slow
def test_killed_in_each_stage_and_resumed_is_bit_for_bit_the_same(
    zol2l: Zol2l, whole: Callable[..., Path]
) -> None:
    folder, meta = whole(*ARGUMENTS), Path("outputs/quadratic/meta/zo_lstm")
    kill_after_checkpoints(meta / "update", 7)
    assert not (meta / "update/weights.safetensors").exists()
    kill_after_checkpoints(meta / "sampling", 5)
    assert (meta / "update/weights.safetensors").exists()
    assert not (meta / "sampling/weights.safetensors").exists()
    assert zol2l(*ARGUMENTS).status == 0
    for part in ("update", "sampling"):
        assert_same(meta / part / "weights.safetensors", folder)


@pytest.mark.slow
def test_adversarial_training_killed_and_resumed_is_bit_for_bit_the_same(
    zol2l: Zol2l, whole: Callable[..., Path]
) -> None:
    folder = whole(*ROBUST)
    trained = Path("outputs/digits_small_convnet/defenses/rnn_trades/seed0")
    for count in (3, 4):
        kill_after_checkpoints(trained, count, ROBUST)
    assert not (trained / "classifier.safetensors").exists()
    assert zol2l(*ROBUST).status == 0
    for player in ("classifier", "maximizer"):
        assert_same(trained / f"{player}.safetensors", folder)
    assert not (trained / "last.ckpt").exists()

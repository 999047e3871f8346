"""One process at a time works in a folder; one that dies lets go; further nodes do not wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zol2l.storage.lock import alone, first_node

HOLDER = """
import sys, time
from pathlib import Path
from zol2l.storage.lock import alone
with alone(Path(sys.argv[1])):
    print("inside", flush=True)
    time.sleep(float(sys.argv[2]))
    Path(sys.argv[1], "left").touch()
"""


def holder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    return process


def test_the_next_process_waits_says_so_and_finds_what_the_first_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    process = holder(tmp_path, 0.5)
    assert not (tmp_path / "left").exists()
    with alone(tmp_path):
        assert (tmp_path / "left").exists()
    assert f"Waiting for another process that works in {tmp_path}" in caplog.text
    assert process.wait() == 0


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    process = holder(tmp_path, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    began = time.monotonic()
    with alone(tmp_path):
        assert time.monotonic() - began < 30
    assert not (tmp_path / "left").exists()


def test_a_stage_within_a_stage_has_the_lock_already(tmp_path: Path) -> None:
    with alone(tmp_path), alone(tmp_path), alone(tmp_path, "other"):
        pass
    with alone(tmp_path):
        pass


def test_further_nodes_work_beside_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = holder(tmp_path, 60)
    monkeypatch.setenv("NODE_RANK", "1")
    assert not first_node()
    with alone(tmp_path):
        pass
    process.kill()
    process.wait()

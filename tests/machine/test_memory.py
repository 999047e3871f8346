"""What is free, by system and control group; refusals that say what would fit, in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zol2l.errors import InvalidInput
from zol2l.machine import memory
from zol2l.machine.memory import available, failures_told, readable, require_memory

MEMINFO = "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 4000 kB\nSwapFree: 96 kB"
GIB = 2**30


def files(folder: Path, contents: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(f"{content}\n")


def second_version(folder: Path, limit: object, used: int) -> None:
    stat = "anon 7\ninactive_file 1000\nactive_file 5"
    files(folder, {"memory.max": limit, "memory.current": used, "memory.stat": stat})


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    files(tmp_path / "proc", {"meminfo": MEMINFO})
    return tmp_path / "proc"


def test_of_the_system_with_swap(proc: Path, tmp_path: Path) -> None:
    assert available(proc, tmp_path) == 4096 * 1024


def test_where_no_file_says_so_all_there_is(tmp_path: Path) -> None:
    free = available(tmp_path, tmp_path)
    assert free is None or free > 2**20


@pytest.mark.parametrize(
    ("path", "limits", "expected"),
    [
        ("/", {"": (30_000, 20_000)}, 11_000),
        ("/", {"": ("max", 20_000)}, 4096 * 1024),
        ("/job/step", {"job": (50_000, 40_000), "job/step": ("max", 1)}, 11_000),
        ("/not/seen/in/here", {"": (30_000, 20_000)}, 11_000),
        ("/", {"": (10_000, 20_000)}, 0),
    ],
)
def test_of_a_control_group(
    proc: Path, tmp_path: Path, path: str, limits: dict, expected: int
) -> None:
    files(proc / "self", {"cgroup": f"0::{path}"})
    for folder, (limit, used) in limits.items():
        second_version(tmp_path / "groups" / folder, limit, used)
    assert available(proc, tmp_path / "groups") == expected


def test_of_a_control_group_of_the_first_version(proc: Path, tmp_path: Path) -> None:
    files(proc / "self", {"cgroup": "5:cpu,cpuacct:/\n4:memory:/job\n0::/"})
    stat = "inactive_file 1\ntotal_inactive_file 500"
    limit, used = "memory.limit_in_bytes", "memory.usage_in_bytes"
    files(tmp_path / "memory/job", {limit: 9000, used: 4000, "memory.stat": stat})
    files(tmp_path / "memory", {limit: 2**63 - 4096, used: 9000, "memory.stat": stat})
    assert available(proc, tmp_path) == 5500


def test_more_than_is_free_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2 * GIB)
    require_memory(2 * GIB, "field", 1, "things", "take fewer")
    with pytest.raises(InvalidInput) as error:
        require_memory(2 * GIB + 1, "field", 1, "things", "take fewer")
    told = "field=1: things need 2.0 GiB of memory, 2.0 GiB are free; take fewer"
    assert str(error.value) == told


def test_what_is_negligible_or_not_known_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: None)
    require_memory(10**30, "field", 1, "things", "take fewer")
    monkeypatch.setattr(memory, "available", lambda: 0)
    require_memory(memory.NEGLIGIBLE, "field", 1, "things", "take fewer")
    with pytest.raises(InvalidInput, match="0 bytes are free"):
        require_memory(memory.NEGLIGIBLE + 1, "field", 1, "things", "take fewer")


def no_memory() -> None:
    raise MemoryError


def gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has ...")


@pytest.mark.parametrize(
    ("allocate", "size"),
    [
        (lambda: torch.empty(2**60, dtype=torch.uint8), "1.0 EiB"),
        (lambda: np.empty(2**60, dtype=np.uint8), "1.00 EiB"),
        (gpu, "20.00 GiB"),
        (no_memory, "all"),
    ],
)
def test_memory_that_was_not_given(allocate, size: str) -> None:
    told = f"memory={size}: could not be allocated"
    with pytest.raises(InvalidInput, match=told), failures_told():
        allocate()


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="shapes"), failures_told():
        raise RuntimeError("shapes")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**80, "1048576.0 EiB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert readable(size) == words

"""Freed memory stays with the process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from zol2l.machine.heap import PARAMETERS

FAULTS = """
import resource, sys, torch
from zol2l.machine.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(20):  # the heap grows to what is needed
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 10 * 2**26 // 4096
"""Of ten tensors of 64 MiB."""


def faults(word: str, **variables: str) -> int:
    """Page faults of ten tensors, one after the other."""
    kept = {name: value for name, value in os.environ.items() if name not in PARAMETERS}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, word],
        env=kept | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's allocator")
def test_a_tensor_takes_over_the_pages_of_the_one_before():
    assert faults("kept") < PAGES / 100


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's allocator")
def test_the_environment_has_the_last_word():
    small = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
    assert faults("kept", **small) >= PAGES

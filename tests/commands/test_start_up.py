"""What answers at once, and starts jobs elsewhere, does not import torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from zol2l.cli import main
sys.argv[0] = "zol2l"
main()
sys.exit("torch" in sys.modules)
"""


@pytest.mark.parametrize(
    "arguments", ["--version", "--help", "list", "evaluate --cfg job"], ids=lambda text: text
)
def test_torch_is_left_alone(arguments: str) -> None:
    command = [sys.executable, "-c", PROGRAM, *arguments.split()]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout

"""The programs of the documentation print what they say; its commands run."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(
    r'^```(?P<kind>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.M | re.S
)
PRINTING = ("README.md", "docs/extending.md", "docs/robust-training.md")
RUNNING = ("docs/getting-started.md", "docs/extending.md", "docs/robust-training.md")


@dataclass(frozen=True)
class Block:
    """Fenced text: its kind, the file that it stands for, and what the block right below prints."""

    kind: str
    title: str | None
    text: str
    output: str | None


def blocks_of(name: str) -> list[Block]:
    text = (ROOT / name).read_text()
    found = list(BLOCK.finditer(text))
    blocks = []
    for one, below in zip(found, [*found[1:], None], strict=True):
        output = None
        if below and below["kind"] in ("", "text") and not text[one.end() : below.start()].strip():
            output = below["text"]
        blocks.append(Block(one["kind"], one["title"], one["text"], output))
    return blocks


def write_files(blocks: list[Block], folder: Path) -> None:
    for block in blocks:
        if block.title is not None:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)


@pytest.mark.parametrize("name", PRINTING)
def test_programs_print_what_is_below_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    blocks = blocks_of(name)
    write_files(blocks, tmp_path)
    programs = [b for b in blocks if b.kind == "python" and b.title is None]
    assert programs
    for program in programs:
        told = io.StringIO()
        with redirect_stdout(told):
            exec(compile(program.text, name, "exec"), {})
        assert told.getvalue() == program.output


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNING)
def test_commands_run_in_their_order(name: str, tmp_path: Path) -> None:
    blocks = blocks_of(name)
    write_files(blocks, tmp_path)
    tools = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "."}
    environment = {**os.environ, **tools, "WANDB_MODE": "disabled"}
    untitled = [b for b in blocks if b.kind in ("bash", "python") and b.title is None]
    commands = [b for b in untitled if not b.text.startswith("make ")]  # it is installed
    for block in commands:
        run = ["bash", "-ec"] if block.kind == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*run, block.text], check=False, cwd=tmp_path, env=environment, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{block.text}\n{done.stderr}"

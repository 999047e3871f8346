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
PRINTING = (
    *("README.md", "CONTRIBUTING.md", "docs/getting-started.md", "docs/attacks.md"),
    *("docs/extending.md", "docs/robust-training.md"),
)
RUNNING = (
    *("docs/getting-started.md", "docs/attacks.md", "docs/command-line.md", "docs/sweeps.md"),
    *("docs/extending.md", "docs/robust-training.md"),
)
NUMBER = re.compile(r"[-\d][\d.,%e-]*")
FRAME = re.compile(r"[\s\u2500-\u257f]+")
"""White space and the lines of tables, whose widths follow from the numbers in them."""


@dataclass(frozen=True)
class Block:
    """Fenced text: its kind, the file that it stands for, what the block right below prints, and
    whether the numbers in that are another machine's too: a title says what they depend on.
    """

    kind: str
    title: str | None
    text: str
    output: str | None
    vague: bool = False

    @property
    def program(self) -> str | None:
        """The file that a command of one line runs."""
        found = re.fullmatch(r"python (\w+\.py)\n", self.text)
        return found[1] if found else None

    def printed(self, told: str) -> bool:
        """Whether what was told, progress and paths left out, has what the document says."""
        assert self.output is not None
        return comparable(self.output, self.vague) in comparable(told, self.vague)


def comparable(text: str, vague: bool) -> str:
    text = "\n".join(line.rstrip() for line in text.splitlines())
    return FRAME.sub(" ", NUMBER.sub("#", text)) if vague else text


def blocks_of(name: str) -> list[Block]:
    text = (ROOT / name).read_text()
    found = list(BLOCK.finditer(text))
    blocks = []
    for one, below in zip(found, [*found[1:], None], strict=True):
        output, vague = None, False
        if below and below["kind"] in ("", "text") and not text[one.end() : below.start()].strip():
            output, vague = below["text"], below["title"] is not None
        blocks.append(Block(one["kind"], one["title"], one["text"], output, vague))
    return blocks


def write_files(blocks: list[Block], folder: Path) -> None:
    for block in blocks:
        if block.title is not None and block.kind in ("python", "yaml"):
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
    texts = {b.title: b.text for b in blocks if b.kind == "python"}
    run = [(b, texts[b.program] if b.program else b.text) for b in blocks if b.output is not None]
    alone = [(b, text) for b, text in run if b.program or (b.kind == "python" and not b.title)]
    programs = [(b, text) for b, text in alone if "outputs/" not in text]  # of commands before it
    assert programs
    for block, text in programs:
        told = io.StringIO()
        with redirect_stdout(told):
            exec(compile(text, name, "exec"), {})
        assert told.getvalue() == block.output


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
            [*run, block.text], check=False, cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{block.text}\n{done.stdout}"
        assert block.output is None or block.printed(done.stdout), f"{block.text}\n{done.stdout}"

"""The commands of docs/command-line.md print what is below them."""

from __future__ import annotations

import shlex

import pytest

from tests.commands.conftest import Zol2l
from tests.test_documents import Block, blocks_of

SHOWN = [b for b in blocks_of("docs/command-line.md") if b.kind == "bash" and b.output is not None]


@pytest.mark.parametrize("block", SHOWN, ids=range(len(SHOWN)))
def test_a_command_prints_what_is_below_it(zol2l: Zol2l, block: Block) -> None:
    told = ""
    for line in block.text.splitlines():
        command, _, failed = line.partition(" || ")
        outcome = zol2l(*shlex.split(command)[1:])
        told += outcome.out + outcome.err
        told += f"status {outcome.status}\n" if failed else ""
    assert block.printed(told), told

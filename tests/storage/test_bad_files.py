"""A file that is damaged, in any way and of any kind, is named; one that can be made again is set
aside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from tests.lightning_modules.toys import module
from zol2l.evaluation.results import read_results
from zol2l.networks.checkpoints import VictimCard, load_victim, save_victim
from zol2l.storage.bad_files import BadFile, intact, reading
from zol2l.storage.json_files import read_json, write_json
from zol2l.storage.learned_weights import load_part, save_part
from zol2l.storage.tensor_files import load_tensors, save_tensors

CONFIGURATION = {"name": "tiny"}


def part() -> nn.Module:
    return nn.Linear(3, 2)


def lightning(path: Path) -> str:
    from lightning_modules.fit import _usable

    return _usable(module(), path)


KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "record": (lambda path: write_json(path, {"a": 1}), partial(read_json)),
    "tensors": (lambda path: save_tensors(path, {"a": torch.ones(9)}), load_tensors),
    "learned part": (
        lambda path: save_part(path, part(), {"settings": {}}),
        lambda path: load_part(path, part()),
    ),
    "victim": (
        lambda path: save_victim(path, part(), VictimCard(CONFIGURATION, 0.5, 8)),
        lambda path: load_victim(path, part(), CONFIGURATION),
    ),
    "table": (lambda path: pd.DataFrame({"method": ["a"]}).to_parquet(path), read_results),
    "Lightning's checkpoint": (
        lambda path: torch.save({"done": 1, "unrolls": torch.zeros(400)}, path),
        lightning,
    ),
}
HARM: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-3],
    "garbage": lambda content: b"<html>404 Not Found</html>" * 40,
    "zeros": lambda content: bytes(len(content)),
    "a list": lambda content: b"[]",
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_named_set_aside_and_can_be_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, harm: str
) -> None:
    write, read = KINDS[kind]
    path = tmp_path / "file.ending"
    write(path)
    assert intact(path, read) is not None
    path.write_bytes(HARM[harm](path.read_bytes()))
    with pytest.raises(BadFile) as error:
        read(path)
    told = str(error.value)
    assert str(path) in told and "delete it" in told and "\n" not in told
    assert caplog.records == []
    assert intact(path, read) is None
    (record,) = caplog.records
    assert record.levelname == "WARNING" and str(path) in record.getMessage()
    assert [file.name for file in tmp_path.iterdir()] == ["file.ending.damaged"]
    write(path)
    assert intact(path, read) is not None
    assert len(caplog.records) == 1


def test_a_file_that_is_not_there_is_nothing_to_warn_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert intact(tmp_path / "none", read_json) is None
    assert caplog.records == []


def test_the_file_that_is_bad_is_set_aside_and_not_the_one_that_needs_it(tmp_path: Path) -> None:
    path, beside = tmp_path / "rows", tmp_path / "pictures"
    for file in (path, beside):
        file.write_text("{}")
    beside.write_text("x")
    assert intact(path, lambda path: (read_json(path), read_json(beside))) is None
    assert {file.name for file in tmp_path.iterdir()} == {"rows", "pictures.damaged"}


def test_what_the_system_refuses_is_no_damage(tmp_path: Path) -> None:
    for error in (PermissionError(13, "Permission denied"), MemoryError()):
        with pytest.raises(type(error)), reading(tmp_path):
            raise error


@pytest.mark.parametrize("content", ['{"other": 1}', "{}", "[]", "3", "null"])
def test_a_record_without_what_is_asked_of_it_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tuned.json"
    path.write_text(content)
    with pytest.raises(BadFile, match=r"tuned\.json: is no record of zol2l with settings"):
        read_json(path, "settings")

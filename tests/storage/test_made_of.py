"""Which rows of a table go on beside those of another command, and what is then on record."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zol2l.evaluation.results import beside
from zol2l.storage.json_files import read_json
from zol2l.storage.made_of import TABLE, MadeOf, going_on, methods_in, stands

OF = {"optimizee": {"name": "quadratic"}, "evaluation": {"seed": 0, "steps": 4}}
OTHER = {"optimizee": {"name": "quadratic"}, "evaluation": {"seed": 1, "steps": 4}}


def write(folder: Path, methods: dict[str, float], of: Any = OF) -> list[str]:
    """What a command does that evaluates these methods, each with a file of its own."""
    kept, path = going_on(folder, of, methods), folder / "results.parquet"
    frames = {name: pd.DataFrame({"method": [name], "loss": [x]}) for name, x in methods.items()}
    table = pd.concat(beside(path, kept, frames)).astype({"method": str})
    table.to_parquet(path)
    own = {name: [folder / f"{name}.weights"] for name in methods}
    for (file,) in own.values():
        file.touch()
    used = [folder / "victim", *(file for files in own.values() for file in files)]
    MadeOf(used, [path], {name: f"{x}" for name, x in methods.items()}, own, of).keep(folder, TABLE)
    return list(table["method"])


def test_methods_add_up_and_one_is_replaced_by_its_name_at_its_place(tmp_path: Path) -> None:
    assert write(tmp_path, {"a": 1, "b": 2}) == ["a", "b"]
    assert write(tmp_path, {"c": 3}) == ["a", "b", "c"]
    assert write(tmp_path, {"d": 4, "b": 5}) == ["a", "b", "c", "d"]
    losses = pd.read_parquet(tmp_path / "results.parquet").set_index("method")["loss"]
    assert losses.to_dict() == {"a": 1, "b": 5, "c": 3, "d": 4}
    assert methods_in(tmp_path) == {"a": "1", "b": "5", "c": "3", "d": "4"}
    used = [Path(name).name for name in read_json(tmp_path / "made_of.json")["used"]]
    assert sorted(used) == ["a.weights", "b.weights", "c.weights", "d.weights", "victim"]


def test_another_protocol_is_a_new_table_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write(tmp_path, {"a": 1, "b": 2})
    assert write(tmp_path, {"b": 3}, OTHER) == ["b"]
    (told,) = caplog.messages
    assert told.endswith("a new table, without a, b: evaluation.seed=1, before 0")
    assert methods_in(tmp_path) == {"b": "3"}


def test_a_file_that_has_changed_is_told_of_and_does_not_stand(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {"a": 1, "b": 2})
    (tmp_path / "a.weights").write_text("learned again")
    assert write(tmp_path, {"b": 3}) == ["a", "b"]
    assert caplog.messages == [f"a: its rows are of before {tmp_path}/a.weights changed"]
    assert not stands(tmp_path, TABLE)
    write(tmp_path, {"a": 1})
    assert stands(tmp_path, TABLE)


@pytest.mark.parametrize("damage", ["killed", "damaged", "gone", "older"])
def test_rows_of_which_nothing_is_known_do_not_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    write(tmp_path, {"a": 1})
    if damage == "killed":  # in the middle of writing a table of another protocol
        going_on(tmp_path, OTHER, ["b"])
    elif damage == "damaged":
        (tmp_path / "results.parquet").write_bytes(b"PAR1")
    elif damage == "gone":
        (tmp_path / "results.parquet").unlink()
    else:
        MadeOf([], [tmp_path / "results.parquet"], {"a": "1"}).keep(tmp_path, TABLE)
    caplog.set_level(logging.INFO)
    assert write(tmp_path, {"c": 3}) == ["c"]
    told = "without a: what it was made of is not known"
    assert any(told in message for message in caplog.messages) == (damage in ("killed", "older"))


def test_a_kill_leaves_no_record_of_rows_that_were_about_to_be_replaced(tmp_path: Path) -> None:
    write(tmp_path, {"a": 1, "b": 2})
    going_on(tmp_path, OF, ["b"])
    assert methods_in(tmp_path) == {"a": "1"}
    assert write(tmp_path, {"c": 3}) == ["a", "c"]

"""A full disk, or a folder in which nothing can be written: one line, status 2, nothing half."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Outcome, Zol2l
from tests.storage.test_files import full_disk

QUADRATIC = ("optimizee=quadratic", "scale=smoke", "logger=csv")


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.status == 2, outcome.out + outcome.err
    told = outcome.err.strip().splitlines()[-1]
    for word in words:
        assert word in told
    assert "Traceback" not in outcome.err


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing can be made, not by root either."""
    folder, make = tmp_path / "closed", os.mkdir
    folder.mkdir()

    def mkdir(path: Any, *more: Any, **named: Any) -> None:
        if str(Path(path).absolute()).startswith(f"{folder}{os.sep}"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        make(path, *more, **named)

    monkeypatch.setattr(os, "mkdir", mkdir)
    return folder


@pytest.mark.parametrize("more", [("baseline=zo_sgd",), ("-m", "baseline=zo_sgd,zo_adam")])
def test_a_read_only_folder(zol2l: Zol2l, read_only: Path, more: tuple[str, ...]) -> None:
    outcome = zol2l("evaluate", *more, *QUADRATIC, f"paths.outputs={read_only}")
    refused(outcome, f"{read_only}/quadratic-smoke", "Read-only", "name another folder with paths")


def test_a_report_where_nothing_can_be_written(zol2l: Zol2l, read_only: Path) -> None:
    assert zol2l("evaluate", *QUADRATIC, "baseline=zo_sgd").status == 0
    outcome = zol2l("report", "outputs", "--output", f"{read_only}/page")
    refused(outcome, f"{read_only}/page/values.csv: Read-only", "name another folder with --output")


@pytest.mark.parametrize(
    ("command", "chosen", "limit", "file"),
    [
        ("evaluate", "baseline=zo_sgd", 1000, "outputs/quadratic-smoke: "),  # Hydra's own files
        (
            "meta-train",
            "ablation=no_query",
            20_000,
            "quadratic-smoke/meta/zo_lstm/update/last.ckpt",
        ),
    ],
)
def test_a_full_disk(
    zol2l: Zol2l, tmp_path: Path, command: str, chosen: str, limit: int, file: str
) -> None:
    with full_disk(limit):
        outcome = zol2l(command, *QUADRATIC, chosen)
    refused(outcome, file, "make room there, or name another folder with paths.outputs")
    assert not list(tmp_path.rglob("*.tmp"))
    assert zol2l(command, *QUADRATIC, chosen).status == 0

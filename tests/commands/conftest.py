"""The command line, run in this process in an empty folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra

from zol2l.commands.cli import main
from zol2l.plots import style


@dataclass
class Outcome:
    status: int
    out: str
    err: str


Zol2l = Callable[..., Outcome]


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests of the session, so that the digits' victim is trained once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra composes each configuration twice, first for `hydra.mode` alone, which zol2l leaves
    alone; figures come small. test_bad_input.py takes everything as users have it.
    """
    monkeypatch.setattr(Hydra, "get_mode", lambda *_, **__: None)
    monkeypatch.setattr(style, "DPI", 20)


@pytest.fixture
def zol2l(
    quicker: None,
    tmp_path: Path,
    data_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Zol2l:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOL2L_DATA_DIR", str(data_root))
    monkeypatch.setenv("WANDB_MODE", "offline")

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["zol2l", *arguments])
        GlobalHydra.instance().clear()
        capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capfd.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call

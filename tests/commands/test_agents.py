"""The sweeps for Weights & Biases' agents: the commands that an agent makes of them run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands.conftest import Zol2l
from zol2l.commands.build import CONF

SWEEPS = sorted((CONF / "sweep" / "wandb").glob("*.yaml"))
SMALL = {"adv_train": ("recipe.train=60", "recipe.training.batch_size=20")}


def first(parameter: dict[str, Any]) -> object:
    return parameter["values"][0] if "values" in parameter else parameter["min"]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_an_agents_command_runs_in_a_folder_of_its_own(
    zol2l: Zol2l, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "abc123")
    sweep = yaml.safe_load(path.read_text())
    given = [f"{name}={first(how)}" for name, how in sweep["parameters"].items()]
    program, *command = sweep["command"]
    assert program == sweep["program"] == "zol2l"
    assert command.pop() == "${args_no_hyphens}"
    command[command.index("scale=cpu")] = "scale=smoke"
    outcome = zol2l(*command, *given, "logger=csv", *SMALL.get(path.stem, ()))
    assert outcome.status == 0, outcome.err
    assert [found.name for found in Path("outputs").iterdir()] == ["agent-abc123-smoke"]

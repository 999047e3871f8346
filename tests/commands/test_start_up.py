"""What answers at once, and starts jobs elsewhere, does not import torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from zol2l.commands.build import CONF
from zol2l.commands.checks import check_settings
from zol2l.commands.options import entries

PROGRAM = """
import sys
from zol2l.commands.cli import main
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


REFUSED = """
import sys
from zol2l.commands.cli import main
sys.argv[0] = "zol2l"
try:
    main()
except SystemExit as stop:
    assert stop.code == 2
heavy = {"torch", "pandas", "matplotlib", "optuna", "pytorch_lightning", "wandb"}
print(*sorted(heavy & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("arguments", "imported"),
    [
        ("evaluate +baselin=zo_sgd", ""),
        ("evaluate seed=-1", ""),
        ("evaluate attack=square", ""),
        ("meta-train meta_training.rate.update=0", "torch"),
        ("evaluate baseline=zo_sgd baseline.optimizer.update.rate=0", "torch"),
    ],
)
def test_what_is_wrong_is_refused_before_heavy_imports(
    arguments: str, imported: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", REFUSED, *arguments.split()]
    answer = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert answer.stdout.strip() == imported, answer.stderr


@pytest.mark.parametrize("name", sorted(entries(CONF, "attacker")))
def test_every_attackers_settings_pass_before_its_data_are_there(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("robust", ["scale=smoke", f"+attacker@attackers.one_more={name}"])
    check_settings("adv-evaluate", cfg, {"recipe": "digits", "network": "digits"}, [])

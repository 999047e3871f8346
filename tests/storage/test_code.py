"""An edit of what a class computes changes its name; a move, a docstring or a comment does not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from zol2l.storage import code as own_code
from zol2l.storage.code import code_of, with_code

HELPERS = """
SCALE = 2.0

def scaled(x):
    return SCALE * x

def unused(x):
    return x
"""
RULE = '''
"""A rule."""
from helpers_of_test import scaled
from zol2l.errors import require
from zol2l.updates.base import Update

class Rule(Update):
    """Moves down."""

    def __init__(self, rate: float) -> None:
        require(rate > 0, "rate", rate, "positive")
        self.rate = rate

    def forward(self, estimate, state):
        # down
        return -scaled(self.rate * estimate.gradient), state

def other(x):
    return 3 * x
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("helpers_of_test", "rule_of_test", "moved_of_test"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "helpers_of_test.py").write_text(HELPERS)
    (tmp_path / "rule_of_test.py").write_text(RULE)
    importlib.invalidate_caches()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rule_of_test", '"""Moves down."""', '"""Moves downhill."""'),
        ("rule_of_test", "# down", "# downhill"),
        ("rule_of_test", "rate: float) -> None", "rate) -> None"),
        ("rule_of_test", '"positive"', '"a positive rate"'),
        ("rule_of_test", "        # down\n", "\n\n"),
        ("rule_of_test", "3 * x", "4 * x"),
        ("helpers_of_test", "    return x\n", "    return x + 1\n"),
    ],
)
def test_what_changes_no_number_changes_no_name(
    folder: Path, file: str, old: str, new: str
) -> None:
    before, path = code_of("rule_of_test.Rule"), folder / f"{file}.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert code_of("rule_of_test.Rule") == before != ""


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rule_of_test", "-scaled", "scaled"),
        ("rule_of_test", "self.rate = rate", "self.rate = rate / 2"),
        ("helpers_of_test", "SCALE = 2.0", "SCALE = 2.5"),
        ("helpers_of_test", "SCALE * x", "SCALE + x"),
    ],
)
def test_what_changes_a_number_changes_the_name(
    folder: Path, file: str, old: str, new: str
) -> None:
    before, path = code_of("rule_of_test.Rule"), folder / f"{file}.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert code_of("rule_of_test.Rule") != before


def test_another_file_is_the_same_code(folder: Path) -> None:
    before = with_code({"rule": {"_target_": "rule_of_test.Rule", "rate": 1}})
    (folder / "rule_of_test.py").rename(folder / "moved_of_test.py")
    importlib.invalidate_caches()
    assert with_code({"rule": {"_target_": "moved_of_test.Rule", "rate": 1}}) == before
    assert before["rule"]["_target_"] == "Rule"


def test_a_name_of_a_package_is_that_of_its_file() -> None:
    assert code_of("zol2l.updates.SGD") == code_of("zol2l.updates.sgd.SGD") != ""


@pytest.mark.parametrize(
    "target", ["torch.optim.SGD", "json.loads", "time.time", "nowhere.X", "math.sin"]
)
def test_what_is_installed_has_no_code_of_ours(target: str) -> None:
    assert code_of(target) == ""
    assert with_code({"_target_": target}) == {"_target_": target}


def edited(monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str) -> None:
    """As if a file of zol2l's were edited."""
    whole = Path.read_text

    def read(path: Path, *args: object, **named: object) -> str:
        text = whole(path, *args, **named)
        if str(path).endswith(file):
            assert old in text
            return text.replace(old, new)
        return text

    own_code._parsed.cache_clear()
    monkeypatch.setattr(Path, "read_text", read)


@pytest.mark.parametrize(
    ("file", "old", "new", "touched"),
    [
        ("updates/adam.py", "-self.rate", "-2 * self.rate", {"Adam"}),
        ("updates/sgd.py", "-self.rate", "-2 * self.rate", {"SGD"}),
        ("optimizees/goals.py", "own - others", "2 * own - others", {"AttackFamily"}),
        ("networks/convolutional.py", "dropout: float = 0.25", "dropout: float = 0.5", {"network"}),
    ],
)
def test_an_edit_of_ours_renames_what_is_made_of_it_alone(
    monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, touched: set[str]
) -> None:
    targets = {
        "Adam": "zol2l.updates.Adam",
        "SGD": "zol2l.updates.SGD",
        "AttackFamily": "zol2l.optimizees.AttackFamily",
        "Gaussian": "zol2l.sampling.GaussianSampling",
        "network": "zol2l.networks.convolutional.small_convnet",
    }
    before = {name: code_of(target) for name, target in targets.items()}
    edited(monkeypatch, file, old, new)
    after = {name: code_of(target) for name, target in targets.items()}
    own_code._parsed.cache_clear()
    assert {name for name in targets if before[name] != after[name]} == touched

"""A user's own method, edited: what it gave before is not taken for what it gives now."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Zol2l

METHOD = """
defaults: [zo_sgd, _self_]
name: mine
optimizer: {update: {_target_: rule_of_test.Rule}}
"""
RULE = "from zol2l.updates import SGD\n\nclass Rule(SGD):\n    '''As it is.'''\n"
CHOSEN = ("--config-dir", "conf", "optimizee=quadratic", "baseline=mine", "scale=smoke")


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an update rule, which the configured method `mine` is made of."""
    (tmp_path / "conf/baseline").mkdir(parents=True)
    (tmp_path / "conf/baseline/mine.yaml").write_text(METHOD)
    path = tmp_path / "rule_of_test.py"
    path.write_text(RULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "rule_of_test", raising=False)
    return path


def test_an_edited_rule_is_evaluated_anew_and_its_tuned_rate_refused(
    zol2l: Zol2l, rule: Path, tmp_path: Path
) -> None:
    def parts() -> int:
        return len(list(tmp_path.glob("outputs/*/parts/mine-*.parquet")))

    assert zol2l("tune", *CHOSEN, "logger=csv").status == 0
    assert zol2l("evaluate", *CHOSEN, "logger=csv").status == 0
    assert zol2l("evaluate", *CHOSEN, "logger=csv").status == 0
    assert parts() == 1
    rule.write_text(RULE + "\n    loops = 2\n")
    del sys.modules["rule_of_test"]
    again = zol2l("evaluate", *CHOSEN, "logger=csv")
    assert again.status == 0
    assert parts() == 2
    assert "optimizer.update._code_ differ" in again.out
    refused = zol2l("tune", *CHOSEN, "logger=csv")
    assert refused.status != 0
    assert "optimizer.update._code_=" in refused.err


def test_a_rule_whose_text_alone_is_edited_is_what_it_was(
    zol2l: Zol2l, rule: Path, tmp_path: Path
) -> None:
    assert zol2l("tune", *CHOSEN, "logger=csv").status == 0
    assert zol2l("evaluate", *CHOSEN, "logger=csv").status == 0
    rule.write_text("# mine\n" + RULE.replace("As it is", "Edited"))
    (tmp_path / "conf/baseline/mine.yaml").write_text(METHOD.replace("rule_of", "moved_rule_of"))
    rule.rename(tmp_path / "moved_rule_of_test.py")
    importlib.invalidate_caches()
    assert zol2l("tune", *CHOSEN, "logger=csv").status == 0
    again = zol2l("evaluate", *CHOSEN, "logger=csv")
    assert again.status == 0 and "differ" not in again.out
    assert len(list(tmp_path.glob("outputs/*/parts/mine-*.parquet"))) == 1

"""A user's own method, edited: what it gave before is not taken for what it gives now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Zol2l
from zol2l.own_code import is_own

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
    rule.write_text(RULE.replace("As it is", "Edited"))
    del sys.modules["rule_of_test"]
    again = zol2l("evaluate", *CHOSEN, "logger=csv")
    assert again.status == 0
    assert parts() == 2
    assert "optimizer.update._source_ differ" in again.out
    refused = zol2l("tune", *CHOSEN, "logger=csv")
    assert refused.status != 0
    assert "optimizer.update._source_=rule_of_test.py" in refused.err


@pytest.mark.parametrize(
    "target", ["zol2l.updates.SGD", "torch.optim.SGD", "json.loads", "time.time", "nowhere.X"]
)
def test_what_is_installed_is_not_the_users(target: str) -> None:
    assert not is_own(target)


def test_what_stands_elsewhere_is(rule: Path) -> None:
    assert is_own("rule_of_test.Rule")

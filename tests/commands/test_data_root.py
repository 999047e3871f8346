"""Where data is: ./data unless a folder is named; a named one must exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from zol2l.commands.build import CONF
from zol2l.commands.folders import data_root
from zol2l.errors import InvalidInput


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOL2L_DATA_DIR", raising=False)
    return OmegaConf.create({"paths": OmegaConf.load(CONF / "paths" / "default.yaml")})


@pytest.mark.parametrize("named", [None, ""])
def test_of_a_variable_that_is_unset_or_empty(
    cfg: DictConfig, named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if named is not None:
        monkeypatch.setenv("ZOL2L_DATA_DIR", named)
    assert data_root(cfg) == Path("data")
    assert Path("data").is_dir()


@pytest.mark.parametrize("named", [None, ""])
def test_of_a_setting_that_is_null_or_empty(cfg: DictConfig, named: str | None) -> None:
    cfg.paths.data_root = named
    assert data_root(cfg) == Path("data")


def test_a_folder_that_is_named_must_exist(cfg: DictConfig, tmp_path: Path) -> None:
    cfg.paths.data_root = str(tmp_path / "mine")
    with pytest.raises(InvalidInput, match=r"paths\.data_root=.*mine: no such folder"):
        data_root(cfg)
    (tmp_path / "mine").mkdir()
    assert data_root(cfg) == tmp_path / "mine"
    assert not Path("data").exists()

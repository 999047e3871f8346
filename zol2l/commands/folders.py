"""Where commands find what a run and its data have on disk."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from zol2l.errors import InvalidInput


def store(cfg: DictConfig) -> Path:
    """The folder that the stages of one run share: weights, tuned rates, parts of results."""
    return Path(cfg.paths.store)


def data_root(cfg: DictConfig) -> Path:
    """Where data sets and victims are; ./data is made, a folder that was named must exist. An empty
    name, as of a variable that a script left empty, names none.
    """
    if cfg.paths.data_root in (None, ""):
        folder = Path("data")
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(cfg.paths.data_root).expanduser()
    if not folder.is_dir():
        raise InvalidInput("paths.data_root", folder, "no such folder (set ZOL2L_DATA_DIR)")
    return folder

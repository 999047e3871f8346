"""An experiment at several values of one setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zol2l.commands.build import check_arguments, plain, with_whole_key
from zol2l.errors import InvalidInput, require
from zol2l.storage.names import require_name
from zol2l.storage.stage import POINTS


@dataclass(frozen=True)
class Points:
    """`setting`, a key of the configuration, takes the values `at`; `label` names it in figures."""

    setting: str
    at: Sequence[Any]
    label: str

    def __post_init__(self) -> None:
        require(len(self.at) > 0, "at", self.at, "at least one value")


def points_of(cfg: DictConfig) -> Points | None:
    """The points that the configuration asks for, if any."""
    if cfg.points is None:
        return None
    shape = "{setting: KEY, at: [VALUE, ...], label: TEXT}"
    require(isinstance(cfg.points, DictConfig), "points", cfg.points, shape)
    given = plain(cfg.points)
    require({"setting", "at", "label"} == given.keys(), "points", ", ".join(given), shape)
    try:
        check_arguments(Points, given)
        return Points(**given)
    except InvalidInput as error:
        raise with_whole_key(error, cfg.points) from None


def at_point(cfg: DictConfig, points: Points, value: Any) -> DictConfig:
    """The configuration with the setting at `value`, its results and tuning in a folder of their
    own. Learned weights stay those of the run folder: one optimizer is shown at all points.
    """
    if OmegaConf.select(cfg, points.setting, default=missing) is missing:
        raise InvalidInput("points.setting", points.setting, "a key of the configuration")
    at = cfg.copy()
    name = require_name("points.at", point_name(value))
    folder = Path(cfg.paths.run_dir) / POINTS / name
    OmegaConf.update(at, points.setting, value, merge=False, force_add=True)
    OmegaConf.update(at, "paths.run_dir", str(folder))
    OmegaConf.update(at, "paths.tuning", str(folder / "tuning"))
    return at


missing = object()


def point_name(value: Any) -> str:
    """A value as it stands in tables, figures and folder names: 20, 0.5, 21x28, a part's name."""
    if isinstance(value, dict):
        return str(value.get("name", value))
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)

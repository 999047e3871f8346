"""An experiment at several values of one setting: tune and evaluate at each, then compare."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from zol2l.build import plain
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.summary import write_summary
from zol2l.plots.points import points_figure
from zol2l.stage import POINTS
from zol2l.tables import print_points

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Points:
    """`setting`, a key of the configuration, takes the values `at`; `label` names it in figures."""

    setting: str
    at: Sequence[Any]
    label: str

    def __post_init__(self) -> None:
        require(len(self.at) > 0, "points.at", self.at, "at least one value")


def points_of(cfg: DictConfig) -> Points | None:
    """The points that the configuration asks for, if any."""
    if cfg.points is None:
        return None
    given = plain(cfg.points)
    missing = {"setting", "at", "label"} ^ given.keys()
    require(not missing, "points", ", ".join(given), "setting, at and label, nothing else")
    return Points(**given)


def at_point(cfg: DictConfig, points: Points, value: Any) -> DictConfig:
    """The configuration with the setting at `value`, its results and tuning in a folder of their
    own. Learned weights stay those of the run folder: one optimizer is shown at all points.
    """
    if OmegaConf.select(cfg, points.setting, default=missing) is missing:
        raise InvalidInput("points.setting", points.setting, "a key of the configuration")
    at = cfg.copy()
    folder = Path(cfg.paths.run_dir) / POINTS / point_name(value)
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


def point_place(value: Any) -> float | str:
    """Where a value stands on an axis: a number at itself, a shape at its number of elements."""
    if isinstance(value, int | float):
        return value
    return math.prod(value) if isinstance(value, list) else point_name(value)


def compare_points(
    cfg: DictConfig, points: Points, summarized: Callable[[DictConfig], pd.DataFrame]
) -> None:
    """Summaries at all points: points.csv, a row per point and method, and figures/points.png."""
    folder = Path(cfg.paths.run_dir)
    tables = []
    for value in points.at:
        log.info("%s: %s", points.label, point_name(value))
        summary = summarized(at_point(cfg, points, value))
        tables.append(summary.assign(point=point_place(value)))
    table = pd.concat(tables, ignore_index=True)
    write_summary(folder / "points.csv", table)
    figure = points_figure(table, folder / "figures" / "points.png", points.label)
    print_points(table, points.label)
    for path in (folder / "points.csv", figure):
        log.info("Written: %s", path)

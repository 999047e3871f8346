"""An experiment at several values of one setting: tune and evaluate at each, then compare."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from zol2l.commands.points import Points, at_point, point_name
from zol2l.evaluation.summary import write_summary
from zol2l.plots.points import points_figure
from zol2l.reporting.tables import print_points

log = logging.getLogger(__name__)


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

"""Methods by the mean of a metric, with their intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zol2l.errors import require
from zol2l.plots.panels import panels
from zol2l.plots.style import lines, pretty, save, styled

BAR, HEAD = 0.34, 1.0
"""Inches: a method's row, and the title with the axis."""


@styled()
def intervals_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw the mean (x) of each method (y), a panel a metric, with its interval where there is one.

    `table` has columns metric, method, mean, low and high, NaN where there is no interval.
    """
    require(len(table) > 0, "table", "no rows", "a line per metric and method")
    metrics = list(map(str, table["metric"].unique()))
    methods = list(map(str, table["method"].unique()))
    figure, grid = panels(len(metrics), width=3.1, height=HEAD + BAR * len(methods))
    look = lines(methods)
    for axes, metric in zip(grid, metrics, strict=True):
        mine = table[table["metric"] == metric].set_index("method")
        for place, method in enumerate(methods):
            if method not in mine.index:
                continue
            row = mine.loc[method]
            reach = [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
            shown = None if np.isnan(row["low"]) else reach
            axes.errorbar(row["mean"], place, xerr=shown, fmt="o", color=look[method]["color"])
        axes.set_yticks(range(len(methods)), [pretty(method) for method in methods])
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_title(metric)
    return save(figure, path)

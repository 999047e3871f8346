"""Methods, or attacks, against a setting (ZO-L2L figures 3b-d, 8 and 10; ZO-NGD table A2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from zol2l.errors import require
from zol2l.plots.curves import logarithmic, run_count
from zol2l.plots.panels import panels, point_axis
from zol2l.plots.style import legend, lines, pretty, save, styled

COUNTS = {
    "queries_to_success_mean": "Queries to success",
    "iterations_to_success_mean": "Iterations to success",
    "queries_mean": "Queries of an attack",
}
VALUES = {"final_loss_mean": "Final loss", "success_rate": "Success (% of all)"}


@styled()
def points_figure(table: pd.DataFrame, path: Path, label: str) -> Path:
    """Draw queries to success, iterations to success and final loss (y) against `point` (x).

    `table` has a line per method and point: the columns of `summarize`, `point` and, where it is
    known, `iterations_to_success_mean`. `label` says what a point is. A query is one function
    value; each value is a mean over runs, and no spread is drawn. A panel of success is there if
    any run succeeded; in it a marker is open where some runs failed, which leave the mean, and
    missing where all did. Numbers stand at their place, on a logarithmic axis where they span a
    factor of more than ten; other points are categories in the order of the table, not joined.
    """
    require(len(table) > 0, "table", "no rows", "a line per method and point")
    counts = [name for name in COUNTS if name in table and np.isfinite(table[name]).any()]
    shown = [*counts, "final_loss_mean" if "final_loss_mean" in table else "success_rate"]
    width = 3.0 if counts else 5.0
    figure, grid = panels(len(shown), len(shown), width, height=3.4)
    for axes, name in zip(grid, shown, strict=True):
        places = point_axis(axes, table["point"], label, width * 0.7)
        _draw(axes, table.assign(place=places).sort_values("place", kind="stable"), name)
    legend(figure, _note(table, bool(counts)))
    return save(figure, path)


def _draw(axes: Axes, table: pd.DataFrame, name: str) -> None:
    """Draw column `name` of each method's rows, which are in the order of their places."""
    if logarithmic(table[name].dropna()):
        axes.set_yscale("log")
    elif name in COUNTS:
        axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=True))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    for method, line in lines(map(str, table["method"].unique())).items():
        rows = table[table["method"] == method]
        line |= {"marker": "o", "markersize": 6.5}
        if not pd.api.types.is_numeric_dtype(table["point"].infer_objects()):
            line |= {"linestyle": ""}
        axes.plot(rows["place"], rows[name], label=pretty(method), **line)
        failed = rows[rows["success_rate"] < 1] if name in COUNTS else rows.iloc[:0]
        hollow = line | {"linestyle": "", "markerfacecolor": "white", "markeredgewidth": 1.6}
        axes.plot(failed["place"], failed[name], **hollow)
    if name in COUNTS and axes.get_yscale() == "linear":
        axes.set_ylim(0, 1.06 * axes.dataLim.ymax)
    if name == "success_rate":
        axes.set_ylim(0, 1.06)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    axes.set_ylabel((COUNTS | VALUES)[name])


def _note(table: pd.DataFrame, counts: bool) -> str:
    """Say of how many runs the means are, and what became of failures."""
    if "images" in table:
        notes = [f"{table['images'].iloc[0]} images"]
    else:
        sizes = table[["instances", "trials"]].drop_duplicates()
        instances, trials = (int(size) for size in sizes.iloc[0])
        same = len(sizes) == 1 and instances * trials > 1
        notes = [f"Means of {run_count(instances, trials)}"] if same else []
    if counts and (table["success_rate"] < 1).any():
        notes.append("Open: some runs failed;\nthey leave the mean")
    if counts and (table["success_rate"] == 0).any():
        notes.append("No marker: all failed")
    return "\n".join(notes)

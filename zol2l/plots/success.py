"""How many runs have succeeded after how many queries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from zol2l.evaluation.summary import knows_success, runs
from zol2l.plots.style import chart, count_axis, legend, lines, pretty, save, styled

Curve = tuple[NDArray[Any], NDArray[Any]]
"""Corners: queries, and the fraction of all runs that have succeeded from there on."""


@styled()
def success_against_queries(results: pd.DataFrame, path: Path) -> Path | None:
    """Draw the percentage of all runs that have succeeded (y) within a number of queries (x).

    A query is one function value, counted per run up to and including the evaluation of the first
    successful iterate. Every curve goes on to the most queries that any method spent; a dot marks
    where a method stopped earlier. None, and no figure, if the problem knows no success.
    """
    if not knows_success(results):
        return None
    spent = results.groupby("method", observed=True)["queries"].max()
    curves = success_curves(results)
    return save(step_figure(curves, dict(spent), "Queries per run (function values)"), path)


def step_figure(curves: Mapping[str, Curve], spent: Mapping[str, float], label: str) -> Figure:
    """Draw each method's step curve; `spent` is the most that any run of a method used."""
    limit = float(max(spent.values()))
    figure, axes = chart()
    ended = False
    for method, line in lines(curves).items():
        queries, fraction = curves[method]
        axes.step(queries, fraction, where="post", label=pretty(method), **line)
        if spent[method] < limit:
            ended = True
            axes.plot(spent[method], fraction[-1], "o", color=line["color"], zorder=line["zorder"])
    count_axis(axes, label, limit)
    axes.set_ylabel("Successful runs (% of all)")
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    legend(figure, "Dot: the method's\nruns end here" if ended else "")
    return figure


def success_curves(results: pd.DataFrame) -> dict[str, Curve]:
    """Compute each method's step curve of queries to success, up to the most that any spent."""
    table, limit = runs(results), float(results["queries"].max())
    needed = table.groupby("method", observed=True, sort=False)["queries_to_success"]
    return {str(name): step_curve(column.to_numpy(float), limit) for name, column in needed}


def step_curve(needed: NDArray[Any], limit: float) -> Curve:
    """Compute the corners of a step curve from 0 to `limit`: queries and the fraction of all runs,
    failures (NaN) included, that have succeeded from there on.
    """
    hits = np.sort(needed[~np.isnan(needed)])
    fraction = np.arange(len(hits) + 1) / len(needed)
    return np.r_[0.0, hits, limit], np.r_[fraction, fraction[-1]]

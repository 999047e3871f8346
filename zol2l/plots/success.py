"""How many runs have succeeded after how many queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from zol2l.evaluation.summary import runs
from zol2l.plots.style import chart, count_axis, legend, lines, pretty, save, styled


@styled()
def success_against_queries(results: pd.DataFrame, path: Path) -> Path | None:
    """Draw the percentage of all runs that have succeeded (y) within a number of queries (x).

    A query is one function value, counted per run up to and including the evaluation of the first
    successful iterate. Every curve goes on to the most queries that any method spent; a dot marks
    where a method stopped earlier. None, and no figure, if the problem knows no success.
    """
    if not knows_success(results):
        return None
    figure, axes = chart()
    curves = success_curves(results)
    spent = results.groupby("method", observed=True)["queries"].max()
    limit = float(spent.max())
    ended = False
    for method, line in lines(curves).items():
        queries, fraction = curves[method]
        axes.step(queries, fraction, where="post", label=pretty(method), **line)
        if spent[method] < limit:
            ended = True
            axes.plot(spent[method], fraction[-1], "o", color=line["color"], zorder=line["zorder"])
    count_axis(axes, "Queries per run (function values)", limit)
    axes.set_ylabel("Successful runs (% of all)")
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    legend(figure, "Dot: the method's\nruns end here" if ended else "")
    return save(figure, path)


def success_curves(results: pd.DataFrame) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Compute the corners of each method's step curve: queries and fraction of runs.

    A fraction is of all runs, failures included, and holds from its queries on: those of a run's
    first success. The curves start at 0 queries and end at the most that any method spent.
    """
    table = runs(results)
    limit = float(results["queries"].max())
    curves = {}
    for method in results["method"].unique():
        needed = table.loc[table["method"] == method, "queries_to_success"].to_numpy(dtype=float)
        hits = np.sort(needed[~np.isnan(needed)])
        fraction = np.arange(len(hits) + 1) / len(needed)
        curves[str(method)] = np.r_[0.0, hits, limit], np.r_[fraction, fraction[-1]]
    return curves


def knows_success(results: pd.DataFrame) -> bool:
    """Whether the problem is an attack: only those have an attack loss and can succeed."""
    return bool(results["attack_loss"].notna().any())

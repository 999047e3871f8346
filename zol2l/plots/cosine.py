"""How well gradient estimates point along the gradient (ZO-L2L figure 4d)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from zol2l.errors import require
from zol2l.plots.panels import point_axis
from zol2l.plots.style import chart, legend, lines, pretty, save, styled

AXIS = 4.8
"""Inches: the x axis of a chart, about."""
CAPS: dict[str, Any] = {"capsize": 3, "elinewidth": 1.4, "capthick": 1.4}


@styled()
def cosine_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw each method's cosine similarity (y) against its number of query directions (x).

    `table` has a line per method and number: columns method, directions, cosine_mean (of the
    estimate and the gradient, -1 to 1) and cosine_sem, which is the length of the bars up and
    down. NaN: no bar where one value is no sample, no marker where nothing was measured. The y
    axis starts at 0 unless a bar goes below it. The x axis is logarithmic where the numbers span a
    factor of more than ten.
    """
    require(len(table) > 0, "table", "no rows", "a line per method and number of directions")
    figure, axes = chart()
    places = point_axis(axes, table["directions"], "Query directions q", AXIS)
    ordered = table.assign(place=places).sort_values("place", kind="stable")
    for method, line in lines(map(str, table["method"].unique())).items():
        rows = ordered[ordered["method"] == method]
        bars = rows["cosine_sem"] if rows["cosine_sem"].notna().any() else None
        look = line | {"marker": "o", "markersize": 5, "label": pretty(method)}
        axes.errorbar(rows["place"], rows["cosine_mean"], bars, **(look | CAPS))
    lowest = (table["cosine_mean"] - table["cosine_sem"].fillna(0)).min()
    if lowest >= 0:
        axes.set_ylim(bottom=0)
    axes.set_ylabel("Cosine similarity of\nestimate and gradient")
    legend(figure, "Bars: \u00b1 1 standard error" if table["cosine_sem"].notna().any() else "")
    return save(figure, path)

"""A victim's largest probabilities, in their order (ZO-NGD figure A2b)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from zol2l.errors import require
from zol2l.plots.style import BLUE, chart, save, styled


@styled()
def probabilities_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw the mean of the k-th largest probability (y) against k (x), as bars; `table` has a line
    per k: columns rank, probability_mean.
    """
    require(len(table) > 0, "table", "no rows", "a line per rank")
    figure, axes = chart()
    axes.bar(table["rank"], table["probability_mean"], color=BLUE)
    axes.set_xticks(table["rank"])
    axes.set_ylim(0, 1)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Classes, from the most to the least probable")
    axes.set_ylabel("Mean probability")
    return save(figure, path)

"""The loss of robust classifiers against the steps of attackers (RNN-Adv, figure 2)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from zol2l.errors import require
from zol2l.plots.panels import panels
from zol2l.plots.style import legend, lines, pretty, save, styled


@styled()
def trajectories_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw the mean cross-entropy (y) against the step (x) of each attacker, a panel a defense.

    `table` has columns method, attacker, step and loss.
    """
    require(len(table) > 0, "table", "no rows", "a line per defense, attacker and step")
    methods = list(map(str, table["method"].unique()))
    attackers = list(map(str, table["attacker"].unique()))
    figure, grid = panels(len(methods))
    for axes, method in zip(grid, methods, strict=True):
        for attacker, line in lines(attackers).items():
            mine = table[(table["method"] == method) & (table["attacker"] == attacker)]
            axes.plot(mine["step"], mine["loss"], label=pretty(attacker), **line)
        axes.set_title(pretty(method))
        axes.set_xlabel("Step")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylabel("Cross-entropy")
    legend(figure, "")
    return save(figure, path)

"""The loss around images, a panel a defense (RNN-Adv, figure 3)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.colors import LogNorm

from zol2l.errors import require
from zol2l.plots.panels import panels
from zol2l.plots.style import pretty, save, styled

FLOOR = 1e-4
"""Losses below it look alike."""


@styled()
def landscape_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw the mean cross-entropy (colour, one logarithmic scale for all panels) where an image is
    moved along its gradient's sign (x) and along a random sign vector (y), both in pixel values.

    `table` has columns method, along_gradient, along_random and loss.
    """
    require(len(table) > 0, "table", "no rows", "a line per defense and place")
    methods = list(map(str, table["method"].unique()))
    figure, grid = panels(len(methods))
    scale = LogNorm(max(table["loss"].min(), FLOOR), table["loss"].max())
    for axes, method in zip(grid, methods, strict=True):
        mine = table[table["method"] == method]
        losses = mine.pivot_table("loss", "along_random", "along_gradient")
        colours = axes.pcolormesh(
            losses.columns, losses.index, losses.clip(lower=FLOOR), norm=scale, cmap="viridis"
        )
        axes.set_title(f"{pretty(method)} (at most {mine['loss'].max():.2f})")
        axes.set_xlabel("Along the gradient's sign")
        axes.set_ylabel("Along random signs")
        axes.grid(visible=False)
    figure.colorbar(colours, ax=grid, label="Cross-entropy")
    return save(figure, path)

"""Figures of several panels, and what their axes share."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT, LEGEND = 2.6, 2.3, 2.1
"""Inches: a panel with its labels, and the legend at the right of all."""


def panels(count: int, columns: int, height: float = PANEL_HEIGHT) -> tuple[Figure, list[Axes]]:
    """Make a figure of `count` panels, row by row, with room for a legend at its right."""
    rows = -(-count // columns)
    size = (columns * PANEL_WIDTH + LEGEND, rows * height)
    figure = Figure(figsize=size, layout="constrained")
    grid = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    figure.align_labels(grid)
    return figure, grid

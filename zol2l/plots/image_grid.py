"""A table of images: a row a method, a column an iteration or an example, predictions below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zol2l.plots.panels import show_image
from zol2l.plots.style import RED, pretty

CELL, GAP, PREDICTION = 0.85, 0.08, 0.22
"""Inches: width of an image, space between images, height of the line below an image."""
HEAD, LETTER = 0.6, 0.083
"""Inches: height of the lines above the images, width of a letter of a method's name."""


def image_grid(
    methods: Sequence[str], columns: int, shape: tuple[int, ...]
) -> tuple[Figure, NDArray[Any]]:
    """Axes (methods, columns) of the images' shape (..., H, W), a method's name beside its row."""
    names = [pretty(method) for method in methods]
    margin = LETTER * max(len("Predicted label"), *(len(name) for name in names)) + 0.3
    height = CELL * shape[-2] / shape[-1]
    width = margin + columns * (CELL + GAP) + 0.1
    row = height + PREDICTION + GAP
    total = HEAD + len(names) * row
    figure = Figure(figsize=(max(width, 3.6), total))
    spacing = {
        "left": margin / figure.get_figwidth(),
        "right": (width - 0.1 - GAP) / figure.get_figwidth(),
        "top": 1 - HEAD / total,
        "bottom": (PREDICTION + GAP) / total,
        "wspace": GAP / CELL,
        "hspace": (PREDICTION + GAP) / height,
    }
    grid = figure.subplots(len(names), columns, squeeze=False, gridspec_kw=spacing)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for name, row in zip(names, grid, strict=True):
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
    return figure, grid


def show_prediction(axes: Axes, image: NDArray[Any], prediction: int, label: int) -> None:
    """Show one image (C, H, W) and, below it, its prediction."""
    show_image(axes, image)
    fooled = prediction not in (label, -1)
    text = "-" if prediction == -1 else str(prediction)
    weight, colour = ("bold", RED) if fooled else ("normal", "0.35")
    axes.set_xlabel(text, color=colour, fontweight=weight, labelpad=3)


def explain(figure: Figure, grid: NDArray[Any], title: str, above: str) -> None:
    """Write the title, and beside the numbers above and below the images what they are."""
    left, down = 0.12 / figure.get_figwidth(), 0.08 / figure.get_figheight()
    figure.text(left, 1 - down, title, va="top", fontweight="bold")
    beside = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
    grid[0, 0].annotate(above, (0, 1), (-8, 4), va="baseline", **beside)
    grid[-1, 0].annotate("Predicted label", (0, 0), (-8, -3), va="top", **beside)

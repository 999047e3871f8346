"""Adversarial images over iterations, method by method (ZO-L2L table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zol2l.errors import require
from zol2l.plots.panels import show_image
from zol2l.plots.style import RED, pretty, save, styled

Pictures = Mapping[str, NDArray[Any]]

CELL, GAP, PREDICTION = 0.85, 0.08, 0.22
"""Inches: width of an image, space between images, height of the line below an image."""
HEAD, LETTER = 0.6, 0.083
"""Inches: height of the lines above the images, width of a letter of a method's name."""


@styled()
def adversarial_strip(pictures: Mapping[str, Pictures], path: Path, instance: int = 0) -> Path:
    """Draw one instance's images: a row per method, a column per iteration (given above it).

    Below each image is the class that the victim chose, bold and coloured where it is not the true
    label, a dash where it is not known. Pixels go from 0 (black) to 1. A method that ended early
    leaves its last columns empty.
    """
    require(bool(pictures), "pictures", "none", "the pictures of at least one method")
    return save(strip(pictures, instance), path)


def strip(pictures: Mapping[str, Pictures], instance: int) -> Figure:
    """Make the figure that `adversarial_strip` saves: one axes per method and iteration."""
    available = min(len(taken["labels"]) for taken in pictures.values())
    require(0 <= instance < available, "instance", instance, f"0 to {available - 1}, as pictured")
    first = next(iter(pictures.values()))
    label = int(first["labels"][instance])
    steps = sorted({int(step) for taken in pictures.values() for step in taken["steps"]})
    figure, grid = _grid([pretty(name) for name in pictures], len(steps), first["images"].shape)
    for row, (name, taken) in zip(grid, pictures.items(), strict=True):
        columns = {int(step): i for i, step in enumerate(taken["steps"])}
        for axes, step in zip(row, steps, strict=True):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if step in columns:
                picture = instance, columns[step]
                _show(axes, taken["images"][picture], int(taken["predictions"][picture]), label)
        row[0].set_ylabel(pretty(name), rotation=0, ha="right", va="center", labelpad=8)
    for axes, step in zip(grid[0], steps, strict=True):
        axes.set_title(f"{step:,}", fontsize=10, pad=4)
    _explain(figure, grid, f"True label {label} (instance {instance})")
    return figure


def _explain(figure: Figure, grid: NDArray[Any], title: str) -> None:
    """Write the title, and beside the numbers above and below the images what they are."""
    left, down = 0.12 / figure.get_figwidth(), 0.08 / figure.get_figheight()
    figure.text(left, 1 - down, title, va="top", fontweight="bold")
    beside = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
    grid[0, 0].annotate("Iteration", (0, 1), (-8, 4), va="baseline", **beside)
    grid[-1, 0].annotate("Predicted label", (0, 0), (-8, -3), va="top", **beside)


def _grid(names: list[str], columns: int, shape: tuple[int, ...]) -> tuple[Figure, NDArray[Any]]:
    """Axes (methods, columns) of the images' shape (..., H, W), with room for text around them."""
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
    return figure, figure.subplots(len(names), columns, squeeze=False, gridspec_kw=spacing)


def _show(axes: Axes, image: NDArray[Any], prediction: int, label: int) -> None:
    """Show one image (C, H, W) and, below it, its prediction."""
    show_image(axes, image)
    fooled = prediction not in (label, -1)
    text = "-" if prediction == -1 else str(prediction)
    weight, colour = ("bold", RED) if fooled else ("normal", "0.35")
    axes.set_xlabel(text, color=colour, fontweight=weight, labelpad=3)

"""Adversarial images over iterations, method by method (ZO-L2L table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from zol2l.errors import require
from zol2l.plots.image_grid import explain, image_grid, show_prediction
from zol2l.plots.style import save, styled

Pictures = Mapping[str, NDArray[Any]]


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
    figure, grid = image_grid(list(pictures), len(steps), first["images"].shape)
    for row, taken in zip(grid, pictures.values(), strict=True):
        columns = {int(step): i for i, step in enumerate(taken["steps"])}
        for axes, step in zip(row, steps, strict=True):
            if step in columns:
                picture = instance, columns[step]
                predicted = int(taken["predictions"][picture])
                show_prediction(axes, taken["images"][picture], predicted, label)
    for axes, step in zip(grid[0], steps, strict=True):
        axes.set_title(f"{step:,}", fontsize=10, pad=4)
    explain(figure, grid, f"True label {label} (instance {instance})", "Iteration")
    return figure

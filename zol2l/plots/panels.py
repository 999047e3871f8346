"""Figures of several panels, and what their axes share."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zol2l.errors import require

LEGEND, LETTER = 2.1, 0.085
"""Inches: the legend at the right of all panels, and a letter of a tick's label."""
TINY = np.finfo(float).tiny
LOG_SPAN = 10
"""Positive settings that span more than this factor are drawn on a logarithmic axis."""


def panels(
    count: int, columns: int | None = None, width: float = 2.6, height: float = 2.3
) -> tuple[Figure, list[Axes]]:
    """Make a figure of `count` panels, row by row, with room for a legend at its right, in
    `columns`, None: as many as fit.

    `width` and `height` (inches) are a panel's, its labels included.
    """
    columns = columns or fitting_columns(count)
    rows = -(-count // columns)
    size = (columns * width + LEGEND, rows * height)
    figure = Figure(figsize=size, layout="constrained")
    grid = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    figure.align_labels(grid)
    return figure, grid


def fitting_columns(count: int) -> int:
    """At most three, and two for four panels."""
    return 2 if count == 4 else min(3, count)


def point_axis(axes: Axes, points: pd.Series[Any], label: str, width: float) -> NDArray[Any]:
    """Let x be settings, with a tick at each, and return the places of `points` on it.

    Numbers stand at their value, others are categories in their order. Ticks' labels that
    would touch on an axis of `width` inches stand upright; `label` is broken to fit into it.
    """
    numeric = pd.api.types.is_numeric_dtype(points.infer_objects())
    codes, names = pd.factorize(points)
    places = points.to_numpy(dtype=float) if numeric else codes.astype(float)
    ticks = np.unique(places)
    texts = [f"{tick:,.6g}" for tick in ticks] if numeric else [str(name) for name in names]
    spaced = ticks
    if numeric and ticks[0] > 0 and ticks[-1] > LOG_SPAN * ticks[0]:
        axes.set_xscale("log")
        spaced = np.log(ticks)
    gaps = np.diff(spaced) * width / max(np.ptp(spaced), TINY)
    lengths = np.array([len(text) + 0.5 for text in texts])
    crowded = bool(np.any(gaps < LETTER * (lengths[1:] + lengths[:-1]) / 2))
    axes.set_xticks(ticks, texts, rotation=90 if crowded else 0)
    axes.minorticks_off()
    axes.margins(x=0.06)
    axes.set_xlabel(fill(label, int(width / LETTER)))
    return places


def show_image(axes: Axes, image: NDArray[Any]) -> None:
    """Show an image (C, H, W), gray or in colours, with values from 0 (black) to 1."""
    require_image("channels", image)
    axes.imshow(np.clip(image, 0, 1).transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)


def require_image(field: str, image: NDArray[Any]) -> None:
    """Refuse what is no image (C, H, W) of one or three channels."""
    channels = len(image) if image.ndim == 3 else f"none of shape {image.shape}"
    require(channels in (1, 3), field, channels, "1 (gray) or 3 (red, green, blue) of (C, H, W)")

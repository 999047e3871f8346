"""One coordinate's run: where it looked, what it saw, how it moved (ZO-L2L figure 4e)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from zol2l.errors import require
from zol2l.plots.panels import panels
from zol2l.plots.style import GREY, count_axis, lines, pretty, save, styled

PREFIX = "delta_"
THIN = 1.1
"""Points: lines that go up and down with every iteration."""


@styled()
def coordinate_figure(table: pd.DataFrame, path: Path) -> Path:
    """Draw a coordinate's standard deviation, gradient estimate and update (y) over iterations (x).

    `table` has a line per iteration: step, std (of the sampling along this coordinate; 1, the
    dashed line, is a standard Gaussian's), estimate, delta (ZO-LSTM's update) and a column
    `delta_<method>` for each method that was fed the same estimates and moved nothing. Updates
    differ in scale by orders of magnitude: each is divided by its own root mean square over the
    iterations (RMS), which the legend gives, so that their shapes compare. The standard deviation
    has no unit, the estimate that of the loss per unit of the coordinate. It is a single run: there
    is no spread. NaN leaves a gap; a run of one iteration is a dot; an update that is
    zero throughout is drawn as zero.
    """
    require(len(table) > 0, "table", "no rows", "a line per iteration")
    ordered = table.sort_values("step")
    figure, grid = panels(3, 1, width=5.6, height=1.75)
    deviation, estimate, update = grid
    alone = {"marker": "o" if len(table) == 1 else None}
    own = lines(["zo_lstm"])["zo_lstm"] | {"linewidth": THIN} | alone
    deviation.axhline(1, color=GREY, linestyle="--", label="Standard Gaussian")
    deviation.plot(ordered["step"], ordered["std"], label="QueryRNN", **(own | {"linewidth": 1.6}))
    deviation.set_ylabel("Predicted standard\ndeviation")
    estimate.plot(ordered["step"], ordered["estimate"], label="ZO-LSTM", **own)
    estimate.set_ylabel("Gradient\nestimate")
    _updates(update, ordered, alone)
    for axes in grid:
        count_axis(axes, "Iteration" if axes is update else "", float(ordered["step"].max()))
        axes.tick_params(labelbottom=axes is update)
    for axes in (deviation, update):
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return save(figure, path)


def _updates(axes: Axes, table: pd.DataFrame, look: dict[str, Any]) -> None:
    """Draw every method's update at unit size, ZO-LSTM's on top."""
    others = [name for name in map(str, table.columns) if name.startswith(PREFIX)]
    deltas = {"zo_lstm": table["delta"]}
    deltas |= {name.removeprefix(PREFIX): table[name] for name in others}
    for method, line in lines(deltas).items():
        size = deltas[method].pow(2).mean() ** 0.5
        label = f"{pretty(method)}\n(RMS {size:.2g})"
        width = 1.8 if method == "zo_lstm" else THIN
        shown = deltas[method] / (size if size > 0 else 1)
        axes.plot(table["step"], shown, label=label, **(line | {"linewidth": width} | look))
    axes.set_ylabel("Update / its RMS")

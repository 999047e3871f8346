"""The loss on single instances, a panel each (ZO-L2L figures 2a-b, 5, 6 and 7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zol2l.errors import require
from zol2l.plots.curves import curves_note, draw_curves, logarithmic, loss_curves, method_labels
from zol2l.plots.panels import fitting_columns, panels
from zol2l.plots.style import count_axis, legend, save, styled


@styled()
def loss_per_instance(results: pd.DataFrame, path: Path, most: int = 6) -> Path | None:
    """Draw each method's mean loss over trials (y) against the iteration (x), a panel an instance.

    The first `most` instances are drawn; the legend says how many there are and which runs of
    those drawn were stopped. Shaded is one standard deviation over trials. Each panel has its own
    range of losses, since instances differ in scale; all are logarithmic if one asks for it and
    all means are positive. None, and no figure, where there is one instance or one trial only:
    then the mean over instances says all.
    """
    require(most > 0, "most", most, "a positive number of instances")
    trials, instances = results["trial"].nunique(), sorted(results["instance"].unique())
    if trials < 2 or len(instances) < 2:
        return None
    drawn = instances[:most]
    shown = results[results["instance"].isin(drawn)]
    tables = [loss_curves(shown[shown["instance"] == i], "step") for i in drawn]
    log = _all_logarithmic([table["mean"] for table in tables])
    columns = fitting_columns(len(drawn))
    figure, grid = panels(len(drawn), columns)
    for i, axes in enumerate(grid):
        draw_curves(axes, tables[i], method_labels(shown), log)
        lowest = i + columns >= len(drawn)
        count_axis(axes, "Iteration" if lowest else "", float(shown["step"].max()), ticks=5)
        axes.set_ylabel(f"Loss (mean of {trials} trials)" if i % columns == 0 else "")
        axes.set_title(f"Instance {drawn[i]}")
    left_out = f"\nFirst {len(drawn)} of {len(instances)} instances"
    legend(figure, curves_note(shown) + (left_out if len(drawn) < len(instances) else ""))
    return save(figure, path)


def _all_logarithmic(means: list[pd.Series[float]]) -> bool:
    wide = any(logarithmic(panel) for panel in means)
    return wide and bool(np.all(pd.concat(means) > 0))

"""The loss of every method against iterations and against queries (ZO-L2L figures 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from zol2l.evaluation.summary import stopped_runs
from zol2l.plots.style import chart, count_axis, legend, lines, pretty, save, styled

LOG_RATIO = 30
"""Mean losses that are positive and span more than this are drawn on a logarithmic axis."""

Against = Literal["step", "queries"]


def loss_against_iterations(results: pd.DataFrame, path: Path) -> Path:
    """Draw the mean loss of each method's runs (y) against the iteration (x).

    Both are plain numbers: the loss has the objective's own scale, linear or logarithmic. Shaded
    is one standard deviation over trials or, with one trial, one standard error over instances;
    the legend says which, and how many runs were stopped and are missing from the mean.
    """
    return _draw(results, "step", "Iteration", path)


def loss_against_queries(results: pd.DataFrame, path: Path) -> Path:
    """Draw the mean loss of each method's runs (y) against the queries spent until then (x).

    A query is one function value; the queries are per run, the evaluation of the iterate included.
    All else is as in `loss_against_iterations`.
    """
    return _draw(results, "queries", "Queries per run (function values)", path)


def loss_curves(results: pd.DataFrame, against: Against) -> pd.DataFrame:
    """Compute what is drawn: method, step, x, mean and spread, one row per method and iterate.

    `mean` is over all runs that are not stopped (finite loss), as is x. `spread` is the standard
    deviation over trials of the mean over instances or, with one trial, the standard error over
    instances; NaN where one value is no sample.
    """
    alive = results[np.isfinite(results["loss"])]
    iterates = alive.groupby(["method", "step"], observed=True)
    spread = iterates["loss"].sem()
    if len(results["trial"].unique()) > 1:
        per_trial = alive.groupby(["method", "step", "trial"], observed=True)["loss"].mean()
        spread = per_trial.groupby(["method", "step"], observed=True).std()
    columns = {"x": iterates[against].mean(), "mean": iterates["loss"].mean(), "spread": spread}
    return pd.DataFrame(columns).reset_index()


def spread_note(results: pd.DataFrame) -> str:
    """Say what is shaded; empty if nothing can be."""
    instances, trials = results["instance"].nunique(), results["trial"].nunique()
    if trials > 1:
        return f"Shaded: ± 1 standard\ndeviation over {trials} trials"
    if instances > 1:
        return f"Shaded: ± 1 standard\nerror over {instances} instances"
    return ""


def logarithmic(means: pd.Series[float]) -> bool:
    """Whether the mean losses ask for a logarithmic axis."""
    return bool(len(means) and means.min() > 0 and means.max() > LOG_RATIO * means.min())


def draw_curves(axes: Axes, table: pd.DataFrame, labels: Mapping[str, str], log: bool) -> None:
    """Draw the `loss_curves` of each method in `labels`, on a logarithmic axis or not."""
    if log:
        axes.set_yscale("log")
    floor = table["mean"].min() / 2 if log else -np.inf
    for method, line in lines(labels).items():
        _curve(axes, table[table["method"] == method], floor, labels[method], line)


def method_labels(results: pd.DataFrame) -> dict[str, str]:
    """Name each method for the legend, with the number of its runs that were stopped."""
    stopped = stopped_runs(results)
    labels = {}
    for method in map(str, results["method"].unique()):
        count = stopped.get(method, 0)
        missing = f"\n({count} run{'s' if count > 1 else ''} stopped)" if count else ""
        labels[method] = pretty(method) + missing
    return labels


def curves_note(results: pd.DataFrame) -> str:
    """Say how to read the curves: what is shaded, and whether runs are missing."""
    left_out = "\nStopped runs leave the mean" if stopped_runs(results) else ""
    return (spread_note(results) + left_out).strip()


@styled()
def _draw(results: pd.DataFrame, against: Against, label: str, path: Path) -> Path:
    figure, axes = chart()
    table = loss_curves(results, against)
    draw_curves(axes, table, method_labels(results), logarithmic(table["mean"]))
    count_axis(axes, label, float(results[against].max()))
    axes.set_ylabel(f"Loss{averaged(results['instance'].nunique(), results['trial'].nunique())}")
    legend(figure, curves_note(results))
    return save(figure, path)


def _curve(axes: Axes, curve: pd.DataFrame, floor: float, label: str, line: dict[str, Any]) -> None:
    """Draw one method's mean, and the shade around it down to `floor`."""
    axes.plot(
        curve["x"], curve["mean"], label=label, marker="o" if len(curve) == 1 else None, **line
    )
    lower, upper = curve["mean"] - curve["spread"], curve["mean"] + curve["spread"]
    shade = {"color": line["color"], "alpha": 0.15, "linewidth": 0}
    axes.fill_between(curve["x"], lower.clip(lower=floor), upper, **shade)


def averaged(instances: int, trials: int) -> str:
    """Say over how many runs something is averaged; empty for one."""
    return f" (mean of {run_count(instances, trials)})" if instances * trials > 1 else ""


def run_count(instances: int, trials: int) -> str:
    """Say how many runs there are of a method."""
    runs = f"{instances} instance{'s' if instances > 1 else ''}"
    return runs + (f" \u00d7 {trials} trials" if trials > 1 else "")

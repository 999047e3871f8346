"""Robust accuracy by defense and attacker, and the loss against the radius (RNN-Adv, section 5)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zol2l.evaluation.robust_results import EVERY, accuracies, over_radii
from zol2l.plots.style import chart, legend, lines, pretty, save, styled

CROWDED = 7
"""Attackers whose names still fit side by side below the axis."""


def draw_robust(folder: Path, rows: pd.DataFrame) -> list[Path]:
    """Draw the results in `rows` into `folder`/figures."""
    figures = folder / "figures"
    paths = [robust_accuracy(rows, figures / "robust_accuracy.png")]
    if (rows["radius"] != 1).any():
        paths.append(loss_against_radius(rows, figures / "loss_vs_radius.png"))
    return paths


@styled()
def robust_accuracy(rows: pd.DataFrame, path: Path) -> Path:
    """Draw the accuracy (y, %) of each defense under each attacker and the minimum (x): the mean
    over seeds, and the range over them.
    """
    table = accuracies(rows)
    names = [name for name in table.columns if name not in ("method", "seed", EVERY)]
    methods = [str(name) for name in table["method"].unique()]
    figure, axes = chart()
    for place, (method, line) in enumerate(lines(methods).items()):
        values = 100 * table[table["method"] == method][names]
        shift = 0.6 * ((place + 0.5) / len(methods) - 0.5)
        x, mean = np.arange(len(names)) + shift, values.mean()
        reach = np.array([mean - values.min(), values.max() - mean])
        axes.errorbar(
            x, mean, reach, fmt="o", color=line["color"], label=pretty(method),
            markerfacecolor="white" if line["linestyle"] != "-" else None,
        )  # fmt: skip
    axes.set_xticks(range(len(names)), [pretty(name) for name in names])
    if len(names) > CROWDED:
        axes.tick_params(axis="x", rotation=30)
    axes.set_ylabel("Accuracy (%)")
    axes.set_xlabel("Attacker")
    axes.grid(axis="x", visible=False)
    seeds = table["seed"].nunique()
    legend(figure, f"Bars: range of {seeds} seeds" if seeds > 1 else "")
    return save(figure, path)


@styled()
def loss_against_radius(rows: pd.DataFrame, path: Path) -> Path:
    """Draw the mean cross-entropy under PGD-10 (y, logarithmic: a plain classifier's is many times
    a robust one's) against the radius (x, in units of eps).
    """
    swept = over_radii(rows)
    means = swept.groupby(["method", "radius"], observed=True)["loss"].mean().reset_index()
    figure, axes = chart()
    for method, line in lines(map(str, means["method"].unique())).items():
        mine = means[means["method"] == method]
        axes.plot(mine["radius"], mine["loss"], marker="o", label=pretty(method), **line)
    axes.set_xlabel("Radius, in units of eps")
    axes.set_ylabel("Cross-entropy under PGD-10")
    axes.set_yscale("log")
    seeds = swept["seed"].nunique()
    each = f" x {seeds} seeds" if seeds > 1 else ""
    legend(figure, f"Means: {swept['instance'].nunique()} images{each}")
    return save(figure, path)

"""Figures of a comparison of attacks: how soon images fall, and what they then look like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zol2l.plots.image_grid import explain, image_grid, show_prediction
from zol2l.plots.report import read_pictures
from zol2l.plots.strip import Pictures
from zol2l.plots.style import save, styled
from zol2l.plots.success import Curve, step_curve, step_figure


@styled()
def success_distribution(rows: pd.DataFrame, path: Path) -> Path:
    """Draw the percentage of all images (y) that each attack has broken within x queries, failures
    included in the 100 % (ZO-NGD figure 2).
    """
    spent = rows.groupby("method", observed=True)["queries"].max()
    curves = attack_curves(rows)
    return save(step_figure(curves, dict(spent), "Queries per image (images classified)"), path)


def attack_curves(rows: pd.DataFrame) -> dict[str, Curve]:
    """Compute each attack's step curve from the rows of `attack_results`."""
    limit = float(rows["queries"].max())
    needed = rows["queries"].where(rows["success"]).astype(float)
    groups = needed.groupby(rows["method"], observed=True, sort=False)
    return {str(name): step_curve(column.to_numpy(), limit) for name, column in groups}


@styled()
def adversarial_gallery(pictures: Mapping[str, Pictures], path: Path) -> Path:
    """Draw the clean images and, a row per attack, the adversarial ones; below each the class that
    the victim chose, bold and coloured where it is not the true label.
    """
    return save(gallery(pictures), path)


def gallery(pictures: Mapping[str, Pictures]) -> Figure:
    """Make the figure that `adversarial_gallery` saves: one axes per attack and image."""
    first = next(iter(pictures.values()))
    labels = np.asarray(first["labels"])
    rows = {"clean": (first["clean"], labels)}
    rows |= {name: (taken["adversarial"], taken["predictions"]) for name, taken in pictures.items()}
    figure, grid = image_grid(list(rows), len(labels), first["clean"].shape)
    for line, (images, predictions) in zip(grid, rows.values(), strict=True):
        for axes, image, predicted, label in zip(line, images, predictions, labels, strict=True):
            show_prediction(axes, image, int(predicted), int(label))
    for axes, label in zip(grid[0], labels, strict=True):
        axes.set_title(str(int(label)), fontsize=10, pad=4)
    explain(figure, grid, "Clean and adversarial images", "True label")
    return figure


def draw_attacks(folder: Path, rows: pd.DataFrame) -> list[Path]:
    """Draw what `folder` holds of the attacks in `rows` into `folder`/figures."""
    figures = folder / "figures"
    names = [str(name) for name in rows["method"].unique()]
    pictures = read_pictures(folder / "pictures", names)
    paths = [success_distribution(rows, figures / "success_vs_queries.png")]
    if pictures and all(len(taken["labels"]) for taken in pictures.values()):
        paths.append(adversarial_gallery(pictures, figures / "adversarial_images.png"))
    return paths

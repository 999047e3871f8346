"""Where an attack changed an image, and where it looked (ZO-L2L figure 9)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from zol2l.errors import require
from zol2l.plots.panels import require_image, show_image
from zol2l.plots.style import pretty, save, styled

PANEL = (2.4, 2.6)
"""Inches of an image with its share of the colour bars."""
PERTURBATION = "perturbation_"


@styled()
def variance_images(pictures: Mapping[str, NDArray[Any]], path: Path) -> Path:
    """Draw an image, each attack's final perturbation and the mean predicted variance.

    `pictures` has arrays (C, H, W), C 1 or 3: `image` in [0, 1], `perturbation_<method>` (signed,
    in units of the image) and `variance` (mean over the iterations before convergence; a standard
    Gaussian's is 1). The image is shown as it is, the others as their mean over channels, which
    keeps the sign: changes that cancel between channels do not show. The perturbations share one
    scale, symmetric around 0; the variance has its own, from the least to the largest. NaN is left
    white. It is a single run: there is no spread.
    """
    added = [name for name in pictures if name.startswith(PERTURBATION)]
    for name in ("image", *(added or [PERTURBATION + "<method>"]), "variance"):
        require(name in pictures, "pictures", sorted(pictures), f"arrays with {name!r} among them")
        require_image(f"pictures.{name}", pictures[name])
    titles = {
        "image": "Image",
        **{x: f"Perturbation of\n{pretty(x.removeprefix(PERTURBATION))}" for x in added},
        "variance": "Mean predicted variance\nof QueryRNN",
    }
    figure = Figure(figsize=(PANEL[0] * len(titles), PANEL[1]), layout="constrained")
    axes = dict(zip(titles, figure.subplots(1, len(titles)), strict=True))
    for name, title in titles.items():
        axes[name].set(xticks=[], yticks=[])
        axes[name].set_title(title)
        axes[name].spines[:].set(visible=True, color="0.8")
    show_image(axes["image"], pictures["image"])
    limit = max(_largest(pictures[name]) for name in added) or 1.0
    for name in added:
        signed = _map(axes[name], pictures[name], cmap="RdBu_r", vmin=-limit, vmax=limit)
    variance = _map(axes["variance"], pictures["variance"], cmap="viridis")
    means = ",\nmean over channels" if len(pictures["image"]) > 1 else ""
    for shown, names, label in (
        (signed, added, "Change of pixels"),
        (variance, ["variance"], "Variance (Gaussian: 1)"),
    ):
        figure.colorbar(shown, ax=[axes[name] for name in names], label=label + means, shrink=0.85)
    return save(figure, path)


def _map(axes: Axes, values: NDArray[Any], **look: Any) -> AxesImage:
    """Show the mean over channels."""
    axes.grid(visible=False)
    return axes.imshow(values.mean(axis=0), interpolation="nearest", **look)


def _largest(values: NDArray[Any]) -> float:
    """Largest absolute mean over channels; 0 where nothing is finite."""
    means = np.abs(values.mean(axis=0))
    return float(np.max(means, where=np.isfinite(means), initial=0))

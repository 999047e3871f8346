"""All figures of one results folder."""

from __future__ import annotations

import logging
from pathlib import Path

from safetensors.numpy import load_file

from zol2l.errors import require
from zol2l.evaluation.results import read_results
from zol2l.plots.curves import loss_against_iterations, loss_against_queries
from zol2l.plots.instances import loss_per_instance
from zol2l.plots.strip import Pictures, adversarial_strip
from zol2l.plots.success import success_against_queries
from zol2l.storage.bad_files import BadFile, reading

log = logging.getLogger(__name__)


def draw_figures(folder: Path) -> list[Path]:
    """Draw what `folder` holds into `folder`/figures and return the paths of the figures.

    loss_vs_iterations.png and loss_vs_queries.png always; loss_per_instance.png where there are
    several instances and trials; success_vs_queries.png for attacks;
    adversarial_images_0.png, ... one per pictured instance, where pictures were taken.
    """
    source, figures = folder / "results.parquet", folder / "figures"
    require(source.is_file(), "folder", folder, "a folder that holds results.parquet")
    results = read_results(source)
    paths = [
        loss_against_iterations(results, figures / "loss_vs_iterations.png"),
        loss_against_queries(results, figures / "loss_vs_queries.png"),
        loss_per_instance(results, figures / "loss_per_instance.png"),
        success_against_queries(results, figures / "success_vs_queries.png"),
    ]
    pictures = read_pictures(
        folder / "pictures", [str(name) for name in results["method"].unique()]
    )
    instances = min((len(taken["labels"]) for taken in pictures.values()), default=0)
    for instance in range(instances):
        path = figures / f"adversarial_images_{instance}.png"
        paths.append(adversarial_strip(pictures, path, instance))
    return [path for path in paths if path is not None]


def read_pictures(folder: Path, methods: list[str]) -> dict[str, Pictures]:
    """Read the pictures of those `methods` that took some, in the order of `methods`. Those that
    cannot be read are named and left out.
    """
    found: dict[str, Pictures] = {}
    for method in methods:
        path = folder / f"{method}.safetensors"
        try:
            with reading(path):
                found |= {method: load_file(path)} if path.is_file() else {}
        except BadFile as error:
            log.warning("%s %s; no pictures of %s", path, error.reason, method)
    return found

"""The report as Markdown and as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from zol2l.reporting.intervals import FEWEST
from zol2l.storage.files import write_atomically

TEMPLATES = {"report.md": "report.md.jinja", "report.html": "report.html.jinja"}
NOTES = {
    "means": "An instance counts once, whatever its seeds and trials; the intervals say how the "
    "mean would move with other instances and other seeds, where there are several. Failures leave "
    "the mean of queries.",
    "pairs": "Wilcoxon's signed-rank test, p after Holm's correction. A pair is an instance, the "
    "difference averaged over its seeds and trials, and of robust classifiers a seed, averaged "
    f"over images; with fewer than {FEWEST} pairs there is no p. Effect: rank-biserial "
    "correlation, positive where the first is larger.",
}
"""What stands below the two tables."""


@dataclass(frozen=True)
class Section:
    """One task: its runs, its means with intervals, its comparisons, and its figures by title."""

    task: str
    folders: Sequence[str]
    means: pd.DataFrame
    pairs: pd.DataFrame
    figures: Mapping[str, Path]


def write_report(folder: Path, sections: Sequence[Section]) -> list[Path]:
    """Write report.md and report.html into `folder`."""
    environment = Environment(
        loader=PackageLoader("zol2l.reporting"), autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"number": number, "embedded": embedded, "pairs": pairs}
    paths = []
    for name, template in TEMPLATES.items():
        text = environment.get_template(template).render(
            sections=sections, folder=folder, notes=NOTES
        )
        write_atomically(folder / name, lambda p, text=text: p.write_text(text))  # type: ignore[misc]
        paths.append(folder / name)
    return paths


def number(value: float) -> str:
    """Four significant digits; a dash for what is not known."""
    return "-" if pd.isna(value) else f"{value:.4g}"


def pairs(row: Any) -> str:
    """How many pairs a comparison has, and of what."""
    return f"{row.pairs} {row.unit}{'s' if row.pairs > 1 else ''}"


def embedded(figure: Path) -> str:
    """A PNG as a data address."""
    return "data:image/png;base64," + base64.b64encode(figure.read_bytes()).decode()

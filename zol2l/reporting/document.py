"""The report as Markdown and as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from zol2l.files import write_atomically

TEMPLATES = {"report.md": "report.md.jinja", "report.html": "report.html.jinja"}


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
    environment.filters |= {"number": number, "embedded": embedded}
    paths = []
    for name, template in TEMPLATES.items():
        text = environment.get_template(template).render(sections=sections, folder=folder)
        write_atomically(folder / name, lambda p, text=text: p.write_text(text))  # type: ignore[misc]
        paths.append(folder / name)
    return paths


def number(value: float) -> str:
    """Four significant digits; a dash for what is not known."""
    return "-" if pd.isna(value) else f"{value:.4g}"


def embedded(figure: Path) -> str:
    """A PNG as a data address."""
    return "data:image/png;base64," + base64.b64encode(figure.read_bytes()).decode()

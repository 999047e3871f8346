"""`zol2l report FOLDER...`: one table and one page over any set of run folders."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from zol2l.evaluation.summary import write_summary
from zol2l.plots.intervals import intervals_figure
from zol2l.reporting.document import Section, write_report
from zol2l.reporting.gather import gather
from zol2l.reporting.intervals import paired, with_intervals


def main(arguments: Sequence[str]) -> None:
    """Gather the folders into values.csv, means.csv, comparisons.csv, report.md and report.html."""
    parser = argparse.ArgumentParser("zol2l report", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=Path("report"), help="default: ./report")
    given = parser.parse_args(arguments)
    values = gather(given.folders)
    means, pairs = with_intervals(values), paired(values)
    tables = {"values": values, "means": means, "comparisons": pairs}
    for name, table in tables.items():
        write_summary(given.output / f"{name}.csv", table)
    tasks = values["task"].unique()
    sections = [_section(task, given.output, values, means, pairs) for task in tasks]
    paths = write_report(given.output, sections)
    console = Console(soft_wrap=True)
    for path in (*(given.output / f"{name}.csv" for name in tables), *paths):
        console.print(f"Written: {path}", highlight=False)


def _section(
    task: str, folder: Path, values: pd.DataFrame, means: pd.DataFrame, pairs: pd.DataFrame
) -> Section:
    mine = means[means["task"] == task]
    plain = "".join(c if c.isalnum() else "_" for c in task)
    figure = intervals_figure(mine, folder / "figures" / f"{plain}.png")
    folders = values.loc[values["task"] == task, "folder"].unique().tolist()
    compared = pairs[pairs["task"] == task] if len(pairs) else pairs
    return Section(task, folders, mine, compared, {"Means and 95 % intervals": figure})

"""The table that a sweep ends with: a row per job, with the main figures of its summary."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.markup import escape
from rich.table import Table

from zol2l.reporting.tables import ATTACK_COLUMNS, COLUMNS

LOWEST = "lowest"
MAIN = {
    "method": ("method", "{}"),
    **{name: COLUMNS[name] for name in ("success_rate", "queries_to_success_mean")},
    "queries_mean": ATTACK_COLUMNS["queries_mean"],
    "final_loss_mean": COLUMNS["final_loss_mean"],
    LOWEST: ("lowest accuracy", "{:.1%}"),
}
"""Columns of summaries that are shown, and how."""


def jobs_table(
    records: Sequence[Mapping[str, Any]], names: Sequence[str], colours: Mapping[str, str]
) -> Table:
    """A row per job: its name, what became of it, a line per method in its summary, its folder."""
    counts = [f"{sum(r['status'] == s for r in records)} {s}" for s in colours]
    folders = [str(record["folder"]) for record in records]
    home = os.path.commonpath([str(Path(folder).parent) for folder in folders] or ["."])
    summaries = [_summary(record) for record in records]
    shown = [name for name in MAIN if any(_has(one, name) for one in summaries)]
    table = Table(title=f"{len(records)} jobs: {', '.join(counts)}", caption=f"folders in {home}")
    table.add_column("job", overflow="fold")
    table.add_column("status")
    for name in ("seconds", *(MAIN[name][0] for name in shown)):
        table.add_column(name, justify="left" if name == "method" else "right")
    table.add_column("folder", overflow="fold")
    for name, record, summary in zip(names, records, summaries, strict=True):
        status = f"[{colours[record['status']]}]{record['status']}[/]"
        cells = [f"{record['seconds']:.1f}", *(_lines(summary, column) for column in shown)]
        place = os.path.relpath(str(record["folder"]), home)
        table.add_row(escape(name), status, *cells, escape(place))
    return table


def _summary(record: Mapping[str, Any]) -> pd.DataFrame:
    """The summary that a job has made, a row per method."""
    path = Path(record["folder"]) / "summary.csv"
    made = "error" not in record and path.is_file()
    table = pd.read_csv(path) if made else pd.DataFrame()
    if LOWEST in table:
        table = table.groupby("method", sort=False, as_index=False)[[LOWEST]].min()
    return table


def _has(summary: pd.DataFrame, name: str) -> bool:
    return name in summary and bool(summary[name].notna().any())


def _lines(summary: pd.DataFrame, name: str) -> str:
    form = MAIN[name][1]
    values = summary.get(name, ())
    return escape("\n".join("-" if pd.isna(value) else form.format(value) for value in values))

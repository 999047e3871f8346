"""The table that an evaluation ends with."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from zol2l.terminal.console import wide_console

COLUMNS = {
    "success_rate": ("success", "{:.1%}"),
    "queries_to_success_mean": ("queries to success (mean)", "{:.0f}"),
    "queries_to_success_median": ("(median)", "{:.0f}"),
    "final_loss_mean": ("final loss", "{:.4g}"),
    "final_loss_std": ("(std)", "{:.2g}"),
    "final_distortion_mean": ("distortion", "{:.4g}"),
    "queries_per_step": ("queries a step", "{:.4g}"),
}
SMALLER_IS_BETTER = ("queries_to_success_mean", "queries_to_success_median", "final_loss_mean")


def summary_table(summary: pd.DataFrame) -> Table:
    """The summary as a rich table; the best of a column is bold. Queries to success are compared
    among the methods that succeed most often: few successes are easily quick ones.
    """
    first = summary.iloc[0]
    table = Table(title=f"{first['instances']} instances x {first['trials']} trials")
    shown = [name for name in COLUMNS if summary[name].notna().any()]
    reliable = summary[summary["success_rate"] == summary["success_rate"].max()]
    best = {
        name: (reliable if name.startswith("queries") else summary)[name].min()
        for name in shown
        if name in SMALLER_IS_BETTER
    }
    table.add_column("method", no_wrap=True)
    for name in shown:
        table.add_column(COLUMNS[name][0], justify="right")
    for row in summary.to_dict("records"):
        cells = [_cell(row[name], COLUMNS[name][1], row[name] == best.get(name)) for name in shown]
        table.add_row(str(row["method"]), *cells)
    return table


def points_table(table: pd.DataFrame, label: str) -> Table:
    """A row per point and method: iterations and queries to success, final loss, success rate."""
    columns = {
        "iterations_to_success_mean": ("iterations to success", "{:.1f}"),
        **{name: COLUMNS[name] for name in ("queries_to_success_mean", "final_loss_mean")},
        **{name: ATTACK_COLUMNS[name] for name in ("success_rate", "queries_mean")},
    }
    shown = [name for name in columns if name in table and table[name].notna().any()]
    drawn = Table(title=label)
    for name in ("point", "method"):
        drawn.add_column(name)
    for name in shown:
        drawn.add_column(columns[name][0], justify="right")
    for row in table.to_dict("records"):
        cells = [_cell(row[name], columns[name][1], False) for name in shown]
        drawn.add_row(str(row["point"]), str(row["method"]), *cells)
    return drawn


ATTACK_COLUMNS = {
    "success_rate": ("success", "{:.1%}"),
    "queries_mean": ("queries (mean)", "{:.1f}"),
    "queries_median": ("(median)", "{:.0f}"),
    "failures": ("failures", "{:.0f}"),
    "queries_of_failures": ("their queries", "{:.0f}"),
    "l2_mean": ("l2", "{:.3g}"),
    "linf_mean": ("l_inf", "{:.3g}"),
}


def attacks_table(summary: pd.DataFrame) -> Table:
    """A row per attack; queries and distortion are of the successes alone. The fewest queries among
    the attacks that succeed most often are bold.
    """
    table = Table(title=f"{summary['images'].iloc[0]} images")
    reliable = summary[summary["success_rate"] == summary["success_rate"].max()]
    best = reliable["queries_mean"].min()
    table.add_column("attack", no_wrap=True)
    for title, _ in ATTACK_COLUMNS.values():
        table.add_column(title, justify="right")
    for row in summary.to_dict("records"):
        cells = [
            _cell(row[name], form, name == "queries_mean" and row[name] == best)
            for name, (_, form) in ATTACK_COLUMNS.items()
        ]
        table.add_row(str(row["method"]), *cells)
    return table


def print_attacks(summary: pd.DataFrame) -> None:
    """Print the table that a comparison of attacks ends with."""
    wide_console().print(attacks_table(summary))


def print_shares(table: pd.DataFrame) -> None:
    """Print how many of the adversarial images fool other networks: a column a network."""
    drawn = Table(title="adversarial images that fool other networks")
    for name in table.columns:
        drawn.add_column(str(name), justify="left" if name == "attack" else "right")
    for row in table.to_dict("records"):
        drawn.add_row(
            *[v if isinstance(v, str) else _cell(v, "{:.1%}", False) for v in row.values()]
        )
    wide_console().print(drawn)


def print_points(table: pd.DataFrame, label: str) -> None:
    """Print the comparison that an experiment at several points ends with."""
    wide_console().print(points_table(table, label))


def print_summary(summary: pd.DataFrame, stopped: int = 0) -> None:
    """Print the table, and how many runs a NaN or inf has stopped."""
    console = wide_console()
    console.print(summary_table(summary))
    if stopped:
        console.print(f"{stopped} runs were stopped by NaN or inf and count as failures.")


def _cell(value: float, form: str, best: bool) -> str:
    text = "-" if pd.isna(value) else form.format(value + 0.0)  # not -0
    return f"[bold]{text}[/bold]" if best else text

"""The tables that a test of robust classifiers ends with."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from zol2l.evaluation.robust_results import EVERY
from zol2l.terminal.console import wide_console

CHECKS = {
    "more_steps": "PGD-100 at least as strong as PGD-10",
    "black_box": "transfer no stronger than white-box",
    "radius": "loss rises with eps",
}


ANSWERS = {True: "yes", False: "[bold red]no[/bold red]", None: "not tested"}


def robust_table(summary: pd.DataFrame, images: int) -> Table:
    """A row per defense, a column per attacker; the highest of a column is bold. Of several seeds
    the lowest accuracy, and below it mean and standard deviation.
    """
    seeds = int(summary["seeds"].max())
    of = f"lowest of {seeds} seeds, mean ± standard deviation; " if seeds > 1 else ""
    table = Table(
        title=f"Accuracy in %, {of}{images} test images",
        caption="min: the strongest attack's column; all attacks: images that stand each of them",
    )
    table.add_column("defense", no_wrap=True)
    attackers = summary["attacker"].unique()
    best = summary.groupby("attacker", observed=True)["lowest"].max()
    for name in attackers:
        table.add_column("all attacks" if name == EVERY else str(name), justify="right")
    for method, rows in summary.groupby("method", observed=True, sort=False):
        cells = [_cell(row, row["lowest"] == best[row["attacker"]]) for _, row in rows.iterrows()]
        table.add_row(str(method), *cells)
    return table


def _cell(row: pd.Series, best: bool) -> str:
    text = f"{100 * row['lowest']:.2f}"
    text = f"[bold]{text}[/bold]" if best else text
    spread = f"\n{100 * row['mean']:.1f} ± {100 * row['std']:.1f}" if row["seeds"] > 1 else ""
    return text + spread


def losses_table(losses: pd.DataFrame) -> Table:
    """A row per defense, a column per attacker; the highest of a row, the strongest attack, bold.
    Of several seeds mean and standard deviation.
    """
    table = Table(title="Cross-entropy after the attack, mean over images")
    table.add_column("defense", no_wrap=True)
    for name in losses.columns.drop(["method", "seed"]):
        table.add_column(str(name), justify="right")
    for method, rows in losses.groupby("method", observed=True, sort=False):
        seeds = rows.drop(columns=["method", "seed"])
        highest = seeds.mean().max()
        table.add_row(str(method), *(_loss_cell(seeds[name], highest) for name in seeds))
    return table


def _loss_cell(losses: pd.Series, highest: float) -> str:
    text = f"{losses.mean():.3f}"
    text = f"[bold]{text}[/bold]" if losses.mean() == highest else text
    return text + (f"\n± {losses.std():.3f}" if len(losses) > 1 else "")


def checks_table(checks: pd.DataFrame) -> Table:
    """A row per defense: which signs of obfuscated gradients were looked for, and found."""
    table = Table(title="Are its gradients honest?")
    table.add_column("defense", no_wrap=True)
    for told in CHECKS.values():
        table.add_column(told, justify="center")
    for row in checks.to_dict("records"):
        cells = [ANSWERS[row.get(name)] for name in CHECKS]
        table.add_row(str(row["method"]), *cells)
    return table


def print_robust(summary: pd.DataFrame, images: int) -> None:
    """Print the table of accuracies."""
    wide_console().print(robust_table(summary, images))


def print_losses(losses: pd.DataFrame) -> None:
    """Print how far each attacker raises the loss."""
    wide_console().print(losses_table(losses))


def print_checks(checks: pd.DataFrame) -> None:
    """Print what to hold against the accuracies."""
    wide_console().print(checks_table(checks))


def print_cost(cost: pd.DataFrame) -> None:
    """Print what the maximizers weigh and what an epoch takes."""
    table = Table(title="Cost of training")
    table.add_column("defense", no_wrap=True)
    over = f"over {cost['method'].iloc[0]}"
    for name in ("weights", "seconds an update", "seconds an epoch", over):
        table.add_column(name, justify="right")
    for row in cost.to_dict("records"):
        seconds = f"{row['seconds_per_update']:.3g}", f"{row['seconds_per_epoch']:.4g}"
        table.add_row(str(row["method"]), f"{row['weights']:,}", *seconds, f"{row['ratio']:.2f}")
    wide_console().print(table)

"""`zol2l list`: what there is, a line each, read from the configuration folders."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from zol2l.commands.options import entries

GROUPS = (
    "optimizee", "data", "optimizer", "baseline", "ablation", "attack", "analysis",
    "defense", "network", "attacker", "experiment",
)  # fmt: skip
OTHER_GROUPS = (
    "sampling", "estimator", "information", "update", "meta_gradient", "threat", "victim",
    "maximizer", "objective", "recipe", "scale", "trainer", "logger", "sweep",
)  # fmt: skip
WIDTH = 22


def main(conf: Path, everything: bool = False) -> None:
    """Print the groups that users choose from; with `everything`, their parts too."""
    console = Console(soft_wrap=True)
    for group in (*GROUPS, *(OTHER_GROUPS if everything else ())):
        console.print(f"[bold]{group}=[/bold]")
        lines = entries(conf, group)
        width = max(WIDTH, *(len(name) + 2 for name in lines))
        for name, text in lines.items():
            console.print(f"  {name:{width}}{text}", highlight=False)

"""`zol2l list`: what there is, a line each, read from the configuration folders."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

GROUPS = (
    "optimizee", "data", "optimizer", "baseline", "ablation", "attack", "analysis",
    "defense", "network", "attacker", "experiment",
)  # fmt: skip
OTHER_GROUPS = (
    "sampling", "estimator", "information", "update", "meta_gradient", "threat", "victim",
    "maximizer", "objective", "recipe", "scale", "trainer", "logger", "sweep",
)  # fmt: skip
WIDTH = 22


def entries(conf: Path, group: str) -> dict[str, str]:
    """Name -> what the first comment of its YAML file says; names in parentheses are parts."""
    found = {}
    for path in sorted((conf / group).rglob("*.yaml")):
        comments = [line[1:].strip() for line in path.read_text().splitlines() if line[:1] == "#"]
        text = next((line for line in comments if not line.startswith("@")), "")
        if not text.startswith("("):
            found[str(path.relative_to(conf / group).with_suffix(""))] = text
    return found


def main(conf: Path, everything: bool = False) -> None:
    """Print the groups that users choose from; with `everything`, their parts too."""
    console = Console(soft_wrap=True)
    for group in (*GROUPS, *(OTHER_GROUPS if everything else ())):
        console.print(f"[bold]{group}=[/bold]")
        lines = entries(conf, group)
        width = max(WIDTH, *(len(name) + 2 for name in lines))
        for name, text in lines.items():
            console.print(f"  {name:{width}}{text}", highlight=False)

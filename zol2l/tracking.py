"""Weights & Biases: how runs are named, and the curves, tables and images of an evaluation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from zol2l.stage import shortened

KINDS = {
    "victims": "victim", "weights": "optimizer", "classifier": "classifier", "maximizer": "attacker"
}  # fmt: skip
"""What a file of weights is, by its name or its folder's."""
UNIMPORTANT = ("meta", "defenses", "outputs", "multirun")
MOST = 128
"""Characters that the name of an artifact may have."""


def wandb_mode() -> Literal["online", "offline", "disabled"]:
    """WANDB_MODE if it is set; else online with a key (WANDB_API_KEY or a login), else offline."""
    chosen = os.environ.get("WANDB_MODE", "")
    if chosen in ("online", "offline", "disabled"):
        return chosen  # type: ignore[return-value]
    netrc = Path.home() / (".netrc" if os.name == "posix" else "_netrc")
    logged_in = netrc.exists() and "wandb" in netrc.read_text()
    return "online" if os.environ.get("WANDB_API_KEY") or logged_in else "offline"


def run_identity(
    settings: Mapping[str, Any], run_name: str, job_type: str, folder: Path
) -> dict[str, Any]:
    """Name, group, job type and tags of a run: the group is the experiment, the job type the stage;
    jobs of a sweep share a tag.
    """
    sweep = [f"sweep-{settings['sweep']}"] if settings["sweep"] else []
    group = {"name": f"{run_name}/{folder.name}", "group": run_name, "job_type": job_type}
    return {**group, "tags": [*settings["tags"], *sweep]}


def artifact(path: Path) -> Any:
    """A file of weights or results as an artifact, named by its kind and the folders that say whose
    it is. Its version is its content: the run that made a file and those that use it name the same
    version, which is what Weights & Biases draws lineage from.
    """
    import wandb

    path = path.absolute()
    kind = KINDS.get(path.stem, KINDS.get(path.parent.name, "results"))
    here = path.is_relative_to(Path.cwd())
    place = path.parent.relative_to(Path.cwd()).parts if here else path.parent.parts[-4:]
    whose = [part for part in place if part not in UNIMPORTANT]
    names = [path.stem] if kind == "victim" else [*whose, path.stem]
    found = wandb.Artifact(shortened(re.sub(r"[^\w.-]", "-", "-".join(names)), MOST), type=kind)
    found.add_file(str(path))
    return found


def use_artifacts(run: Any, files: Iterable[Path]) -> None:
    """Say which files of weights a run depends on: as `uses` in its configuration, name and digest
    each, and online as used artifacts, which wandb does not let an offline run name.
    """
    found = [artifact(path) for path in dict.fromkeys(files)]
    run.config.update({"uses": {one.name: one.digest for one in found}})
    for one in found if wandb_mode() == "online" else ():
        run.use_artifact(one)


@contextmanager
def wandb_run(
    settings: Mapping[str, Any],
    folder: Path,
    run_name: str,
    job_type: str,
    config: Mapping[str, Any],
    uses: Iterable[Path] = (),
) -> Iterator[Any | None]:
    """A Weights & Biases run, or None where it is switched off; always finished at the end. `uses`
    are files of weights that its results depend on.
    """
    if not settings["wandb"] or wandb_mode() == "disabled":
        yield None
        return
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        project=settings["project"], dir=str(folder), mode=wandb_mode(),
        config={**config, "sweep": settings["sweep"]}, settings=wandb.Settings(silent=True),
        **run_identity(settings, run_name, job_type, folder),
    )  # fmt: skip
    try:
        use_artifacts(run, uses)
        yield run
    finally:
        run.finish()


def log_evaluation(
    run: Any, results: pd.DataFrame, summary: pd.DataFrame, figures: Sequence[Path]
) -> None:
    """Mean curves of each method over its queries, the summary as a table and all figures,
    adversarial images among them, as images.
    """
    curves = results.groupby(["method", "step"], observed=True)[["queries", "loss", "success"]]
    means = curves.mean().reset_index()
    for method in means["method"].unique():
        run.define_metric(f"{method}/queries")
        run.define_metric(f"{method}/*", step_metric=f"{method}/queries")
        for row in means[means["method"] == method].itertuples():
            values = {"queries": row.queries, "loss": row.loss, "success": float(row.success)}
            run.log({f"{method}/{name}": value for name, value in values.items()})
    _log_summary(run, summary, figures)


def log_attacks(
    run: Any, rows: pd.DataFrame, summary: pd.DataFrame, figures: Sequence[Path]
) -> None:
    """A table of all images, the summary as a table, and all figures as images."""
    import wandb

    run.log({"images": wandb.Table(dataframe=rows.astype({"method": str}))})
    _log_summary(run, summary, figures)


def log_figures(run: Any, figures: Sequence[Path]) -> None:
    """All figures as images."""
    import wandb

    run.log({f"figures/{path.stem}": wandb.Image(str(path)) for path in figures})


def log_robust(
    run: Any, summary: pd.DataFrame, checks: pd.DataFrame, figures: Sequence[Path]
) -> None:
    """The accuracies and the checks as tables, all figures as images."""
    import wandb

    tables = {"accuracies": summary.astype({"attacker": str}), "gradient_checks": checks}
    for name, frame in tables.items():
        run.log({name: wandb.Table(dataframe=frame.astype({"method": str}))})
    log_figures(run, figures)
    for row in summary.to_dict("records"):
        run.summary.update({f"{row['method']}/{row['attacker']}": row["lowest"]})


def _log_summary(run: Any, summary: pd.DataFrame, figures: Sequence[Path]) -> None:
    import wandb

    run.log({"summary": wandb.Table(dataframe=summary.astype({"method": str}))})
    log_figures(run, figures)
    for row in summary.to_dict("records"):
        run.summary.update({f"{row['method']}/{k}": v for k, v in row.items() if k != "method"})

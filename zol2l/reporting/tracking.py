"""Weights & Biases: how runs are named, and the curves, tables and images of an evaluation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from zol2l.evaluation.summary import knows_success
from zol2l.storage.fingerprints import shortened

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


@dataclass(frozen=True)
class Job:
    """A job as its logs show it: the logger's `settings`, the `folder` it writes to, the run it
    belongs to, its `kind` (the stage), its configuration, and the files of weights that it `uses`.
    """

    settings: Mapping[str, Any]
    folder: Path
    run_name: str
    kind: str
    config: Mapping[str, Any]
    uses: Sequence[Path] = ()

    @property
    def tracked(self) -> bool:
        """Whether Weights & Biases is to show it."""
        return bool(self.settings["wandb"]) and wandb_mode() != "disabled"

    def run(self) -> dict[str, Any]:
        """A Weights & Biases run of it: the group is the experiment, the job type the stage; jobs
        of a sweep share a tag.
        """
        import wandb

        sweep = self.settings["sweep"]
        return {
            "project": self.settings["project"],
            "name": f"{self.run_name}/{self.folder.name}",
            "group": self.run_name,
            "job_type": self.kind,
            "tags": [*self.settings["tags"], *([f"sweep-{sweep}"] if sweep else [])],
            "config": {**self.config, "sweep": sweep},
            "settings": wandb.Settings(silent=True),
        }


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
def wandb_run(job: Job) -> Iterator[Any | None]:
    """A Weights & Biases run of a job, or None where it is switched off; always finished at the
    end.
    """
    if not job.tracked:
        yield None
        return
    import wandb

    job.folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(dir=str(job.folder), mode=wandb_mode(), **job.run())
    try:
        use_artifacts(run, job.uses)
        yield run
    finally:
        run.finish()


def log_evaluation(
    run: Any, results: pd.DataFrame, summary: pd.DataFrame, figures: Sequence[Path]
) -> None:
    """Mean curves of each method over its queries, the summary as a table and all figures,
    adversarial images among them, as images.
    """
    shown = ["queries", "loss", *(["success"] if knows_success(results) else [])]
    means = results.groupby(["method", "step"], observed=True)[shown].mean().reset_index()
    for method in means["method"].unique():
        run.define_metric(f"{method}/queries")
        run.define_metric(f"{method}/*", step_metric=f"{method}/queries")
        for row in means.loc[means["method"] == method, shown].to_dict("records"):
            run.log({f"{method}/{name}": float(value) for name, value in row.items()})
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

    known = summary.dropna(axis="columns", how="all")
    run.log({"summary": wandb.Table(dataframe=known.astype({"method": str}))})
    log_figures(run, figures)
    for row in known.to_dict("records"):
        method = row.pop("method")
        run.summary.update({f"{method}/{k}": v for k, v in row.items() if not pd.isna(v)})

"""Where metrics go: CSV always, TensorBoard and Weights & Biases as configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from zol2l.reporting.tracking import Job, artifact, use_artifacts, wandb_mode

STEPS, AXES = "trainer/global_step", {"adv-train": "adv/epoch"}
"""What curves are drawn against: meta-steps or batches, and in adversarial training epochs."""


@contextmanager
def loggers(job: Job) -> Iterator[list[Logger]]:
    """Loggers of one training job; a Weights & Biases run is finished on the way out, so that the
    next job of a sweep gets one of its own. Without a key it is written offline.
    """
    folder = job.folder.absolute()  # W&B's service may have been started elsewhere
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Logger] = [CSVLogger(str(folder), name="csv")]
    if job.settings["tensorboard"]:
        found.append(TensorBoardLogger(str(folder), name="tensorboard", version=""))
    if job.tracked:
        found.append(OwnRun(job))
    try:
        yield found
    finally:
        if job.settings["wandb"]:
            import wandb

            wandb.finish()


class OwnRun(WandbLogger):
    """A run that begins when something is logged, in the process that trains, and ends with the
    training there.
    """

    def __init__(self, job: Job) -> None:
        offline = wandb_mode() == "offline"
        super().__init__(save_dir=str(job.folder.absolute()), offline=offline, **job.run())
        self._wandb_init.pop("anonymous", None)  # which wandb warns of, even of Lightning's None
        self.axis, self.uses = AXES.get(job.kind, STEPS), job.uses

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The run of the wandb package."""
        is_new = self._experiment is None
        run = super().experiment
        for name in ("meta/*", "val/*", "victim/*", "adv/*") if is_new else ():
            run.define_metric(name, step_metric=self.axis)
        if is_new:
            use_artifacts(run, self.uses)
        return run

    def made(self, path: Path) -> None:
        """The run has written a file of weights."""
        self.experiment.log_artifact(artifact(path))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish()


def log_once(
    module: pl.LightningModule, figures: Mapping[str, float], step: int, **axis: float
) -> None:
    """Log figures of a training step, and where it is on their axis, at this step alone: what
    `module.log` is told in one step Lightning writes again in all steps after it. Progress bars see
    the figures too.
    """
    module.log_dict(dict(figures), logger=False)
    for logger in module.loggers:
        logger.log_metrics({**figures, **axis}, step)

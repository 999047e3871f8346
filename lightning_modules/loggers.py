"""Where metrics go: CSV always, TensorBoard and Weights & Biases as configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from zol2l.tracking import run_identity, wandb_mode

STEPS, AXES = "trainer/global_step", {"adv-train": "adv/epoch"}
"""What curves are drawn against: meta-steps or batches, and in adversarial training epochs."""


@contextmanager
def loggers(
    settings: Mapping[str, Any],
    folder: Path,
    run_name: str,
    job_type: str,
    config: Mapping[str, Any],
) -> Iterator[list[Logger]]:
    """Loggers of one training job; a Weights & Biases run is finished on the way out, so that the
    next job of a sweep gets one of its own. Without a key it is written offline.
    """
    folder = folder.absolute()  # W&B's service may have been started elsewhere
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Logger] = [CSVLogger(str(folder), name="csv")]
    if settings["tensorboard"]:
        found.append(TensorBoardLogger(str(folder), name="tensorboard", version=""))
    if settings["wandb"] and wandb_mode() != "disabled":
        found.append(_wandb_logger(settings["project"], folder, run_name, job_type, config))
    try:
        yield found
    finally:
        if settings["wandb"]:
            import wandb

            wandb.finish()


class OwnRun(WandbLogger):
    """A run that begins when something is logged, in the process that trains, and ends with the
    training there. `axis` is what its curves are drawn against.
    """

    def __init__(self, axis: str, **options: Any) -> None:
        super().__init__(**options)
        self.axis = axis

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The run of the wandb package."""
        is_new = self._experiment is None
        run = super().experiment
        for name in ("meta/*", "val/*", "victim/*", "adv/*") if is_new else ():
            run.define_metric(name, step_metric=self.axis)
        return run

    @rank_zero_only
    def finalize(self, status: str) -> None:
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish()


def _wandb_logger(
    project: str, folder: Path, run_name: str, job_type: str, config: Mapping[str, Any]
) -> WandbLogger:
    import wandb

    return OwnRun(
        AXES.get(job_type, STEPS),
        project=project,
        save_dir=str(folder),
        offline=wandb_mode() == "offline",
        config=dict(config),
        settings=wandb.Settings(silent=True),
        **run_identity(run_name, job_type, folder),
    )

"""Where metrics go: CSV always, TensorBoard and Weights & Biases as configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

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


def _wandb_logger(
    project: str, folder: Path, run_name: str, job_type: str, config: Mapping[str, Any]
) -> WandbLogger:
    import wandb

    logger = WandbLogger(
        project=project,
        save_dir=str(folder),
        offline=wandb_mode() == "offline",
        config=dict(config),
        settings=wandb.Settings(silent=True),
        **run_identity(run_name, job_type, folder),
    )
    for name in ("meta/*", "val/*", "victim/*", "adv/*"):
        logger.experiment.define_metric(name, step_metric=AXES.get(job_type, STEPS))
    return logger

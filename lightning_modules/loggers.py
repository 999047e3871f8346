"""Where metrics go: CSV always, TensorBoard and Weights & Biases as configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from zol2l.tracking import run_identity, wandb_mode


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
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Logger] = [CSVLogger(str(folder), name="csv")]
    if settings["tensorboard"]:
        found.append(TensorBoardLogger(str(folder), name="tensorboard", version=""))
    if settings["wandb"]:
        identity = run_identity(run_name, job_type, folder)
        mode = wandb_mode()
        online = WandbLogger(
            project=settings["project"], save_dir=str(folder), offline=mode == "offline",
            config=dict(config), **identity,
        )  # fmt: skip
        online.experiment.define_metric("meta/*", step_metric="trainer/global_step")
        online.experiment.define_metric("val/*", step_metric="trainer/global_step")
        found.append(online)
    try:
        yield found
    finally:
        if settings["wandb"]:
            import wandb

            wandb.finish()

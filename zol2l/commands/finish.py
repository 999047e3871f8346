"""How the commands with results end: Weights & Biases, and the path of everything written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from zol2l.commands.build import plain
from zol2l.reporting.tracking import Job, artifact, wandb_run
from zol2l.storage.made_of import MadeOf, kind

log = logging.getLogger(__name__)


def finish(
    cfg: DictConfig,
    command: str,
    made: MadeOf,
    show: Callable[[Any], None],
) -> None:
    """Keep what the results are made of and log them to Weights & Biases, where it is on: what
    `show` logs to a run, and the first of the files written as an artifact. Name them all.
    """
    folder = Path(cfg.paths.run_dir)
    used = made.keep(folder, kind(command, cfg))
    weights = [path for path in used if path.suffix == ".safetensors"]
    uses = [path for path in weights if path.is_file()]  # an analysis may do without some
    job = Job(plain(cfg.logger), folder, cfg.run_name, command, plain(cfg), uses)
    with wandb_run(job) as run:
        if run is not None:
            show(run)
            run.log_artifact(artifact(made.written[0]))
    for path in made.written:
        log.info("Written: %s", path)

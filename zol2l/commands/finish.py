"""How the commands with results end: Weights & Biases, and the path of everything written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from zol2l.build import plain
from zol2l.tracking import artifact, wandb_run

log = logging.getLogger(__name__)


def finish(
    cfg: DictConfig,
    command: str,
    uses: Iterable[Path],
    show: Callable[[Any], None],
    written: Sequence[Path],
) -> None:
    """Log the results to Weights & Biases, where it is on: what `show` logs to a run, and as an
    artifact the first of the files `written`, made with the weights in `uses`. Name them all.
    """
    folder = Path(cfg.paths.run_dir)
    with wandb_run(plain(cfg.logger), folder, cfg.run_name, command, plain(cfg), uses) as run:
        if run is not None:
            show(run)
            run.log_artifact(artifact(written[0]))
    for path in written:
        log.info("Written: %s", path)

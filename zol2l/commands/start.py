"""What every command does first: check the configuration as a whole and record it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import optuna
from omegaconf import DictConfig

from zol2l.build import plain
from zol2l.provenance import record

NOISE = (
    ".*num_workers.*",
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*barrier.*",
    ".*pre-optimization state.*",  # ours is saved after the step on purpose
)


def begin(cfg: DictConfig, command: str) -> None:
    """Resolve everything once, so that a mistake is found before any work, and write
    `<command>.json` with the configuration, commit and versions into the run folder.
    """
    for message in NOISE:
        warnings.filterwarnings("ignore", message)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    record(Path(cfg.paths.run_dir), command, plain(cfg))

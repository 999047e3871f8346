"""What every command does first: check the configuration as a whole and record it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import optuna
from omegaconf import DictConfig

from zol2l.build import plain
from zol2l.commands.robust import require_recipe
from zol2l.provenance import provenance
from zol2l.stage import write_json

NOISE = (
    ".*num_workers.*",
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*barrier.*",
    ".*pre-optimization state.*",  # ours is saved after the step on purpose
)


def begin(cfg: DictConfig) -> dict[str, Any]:
    """Resolve everything once, so that what is missing is found before any work; what makes the
    run folder: the configuration, the command, the commit and the versions.
    """
    if "defenses" in cfg:
        require_recipe(cfg)
    for message in NOISE:
        warnings.filterwarnings("ignore", message)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return {"provenance": provenance(), "config": plain(cfg)}


def end(cfg: DictConfig, command: str, record: dict[str, Any]) -> None:
    """Keep that record as `<command>.json`, now that the results it stands for are there."""
    write_json(Path(cfg.paths.run_dir) / f"{command}.json", record)

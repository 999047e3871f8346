"""What every command does first: set up the process, and record the configuration."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import optuna
import torch
from omegaconf import DictConfig

from zol2l.commands.build import plain
from zol2l.commands.objects import chosen_device
from zol2l.machine.heap import keep_freed_memory
from zol2l.machine.provenance import provenance
from zol2l.storage.json_files import write_json
from zol2l.storage.lock import first_node

NOISE = (
    ".*num_workers.*",
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*barrier.*",
    ".*in eval mode.*",  # a frozen classifier, and so it is meant
    ".*pre-optimization state.*",  # ours is saved after the step on purpose
)


def begin(cfg: DictConfig) -> dict[str, Any]:
    """Resolve everything once, so that what is missing is found before any work; what makes the
    run folder: the configuration, the command, the commit and the versions.
    """
    keep_freed_memory()
    torch.backends.cudnn.allow_tf32 = False  # differences of values that are nearly the same
    chosen_device(cfg)  # refuses one that is not there
    for message in NOISE:
        warnings.filterwarnings("ignore", message)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return {"provenance": provenance(), "config": plain(cfg)}


def end(cfg: DictConfig, name: str, record: dict[str, Any]) -> None:
    """Keep that record in the file `name`, now that the results it stands for are there."""
    if first_node():
        write_json(Path(cfg.paths.run_dir) / name, record)

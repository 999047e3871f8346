"""What every command does first: check the configuration as a whole and record it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import torch
from omegaconf import DictConfig

from zol2l.build import plain
from zol2l.commands.objects import chosen_device
from zol2l.commands.robust import require_recipe
from zol2l.errors import require
from zol2l.heap import keep_freed_memory
from zol2l.json_files import write_json
from zol2l.lock import first_node
from zol2l.provenance import provenance

NOISE = (
    ".*num_workers.*",
    ".*LeafSpec.*",
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists.*",
    ".*barrier.*",
    ".*in eval mode.*",  # a frozen classifier, and so it is meant
    ".*pre-optimization state.*",  # ours is saved after the step on purpose
)


def begin(cfg: DictConfig, choices: Mapping[str, Any], given: Sequence[str]) -> dict[str, Any]:
    """Resolve everything once, so that what is missing is found before any work; what makes the
    run folder: the configuration, the command, the commit and the versions. `choices` says which
    option of each group was chosen, `given` is what the command line sets.
    """
    if "defenses" in cfg:
        require_recipe(cfg, choices, given)
        precision = str(cfg.trainer.precision)
        allowed = "32-true or bf16-mixed: one loss scale of float16 cannot serve two players"
        known = precision in ("32-true", "32", "bf16-mixed")
        require(known, "trainer.precision", precision, allowed)
    keep_freed_memory()
    torch.backends.cudnn.allow_tf32 = False  # differences of values that are nearly the same
    strategy = cfg.trainer.get("strategy")
    allowed = "ddp_fork (or ddp_spawn): ddp starts the command anew, which zol2l's commands cannot"
    require(strategy != "ddp", "trainer.strategy", strategy, allowed)
    chosen_device(cfg)  # refuses one that is not there
    for message in NOISE:
        warnings.filterwarnings("ignore", message)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return {"provenance": provenance(), "config": plain(cfg)}


def end(cfg: DictConfig, name: str, record: dict[str, Any]) -> None:
    """Keep that record in the file `name`, now that the results it stands for are there."""
    if first_node():
        write_json(Path(cfg.paths.run_dir) / name, record)

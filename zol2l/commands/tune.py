"""`zol2l tune`: tune the hand-designed methods on validation instances."""

from __future__ import annotations

import json
import logging
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from zol2l.build import build, plain
from zol2l.commands.objects import (
    build_method,
    chosen_methods,
    family_of,
    optimizee_settings,
    store,
    warn_of_differences,
)
from zol2l.errors import InvalidInput
from zol2l.evaluation.tuning import TuningGrid, tune
from zol2l.optimizees import OptimizeeFamily
from zol2l.progress import progress_bars
from zol2l.provenance import provenance
from zol2l.stage import SETTINGS, claim, write_json

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Tune every chosen method that has something to tune and was not tuned yet."""
    methods = {name: m for name, m in chosen_methods(cfg).items() if m.tuned}
    if not methods:
        raise InvalidInput("baseline", None, "the chosen methods have nothing to tune")
    missing = {}
    for name, method in methods.items():
        claim(_folder(cfg, name), _settings(cfg, method))
        if not tuned_path(cfg, name).exists():
            missing[name] = method
    if missing:
        family = family_of(cfg)
        for name, method in missing.items():
            _tune_method(cfg, family, name, method)


def tuned_settings(cfg: DictConfig, name: str) -> dict[str, float]:
    """What `zol2l tune` found for the method in this run folder; empty where it was not run."""
    path = tuned_path(cfg, name)
    if not path.exists():
        return {}
    made_for = json.loads((path.parent / SETTINGS).read_text())
    warn_of_differences(cfg, f"{name} was tuned", made_for)
    return dict(json.loads(path.read_text())["settings"])


def tuned_path(cfg: DictConfig, name: str) -> Path:
    """Where the settings found are recorded, with the command that found them and every trial."""
    return _folder(cfg, name) / "tuned.json"


def _folder(cfg: DictConfig, name: str) -> Path:
    return store(cfg) / "tuning" / name


def _settings(cfg: DictConfig, method: DictConfig) -> dict[str, Any]:
    grid = {"tuning": plain(cfg.tuning), "steps": cfg.evaluation.steps}
    return {**optimizee_settings(cfg), **grid, "optimizer": plain(method.optimizer)}


def _tune_method(cfg: DictConfig, family: OptimizeeFamily, name: str, method: DictConfig) -> None:
    grid: TuningGrid = build(cfg.tuning)
    start = {setting: float(method.optimizer["update"][setting]) for setting in method.tuned}
    path = tuned_path(cfg, name)
    with progress_bars() as show:
        found = tune(
            partial(build_method, cfg, method),
            start,
            grid,
            family,
            cfg.evaluation.steps,
            path.parent / "trials.journal",
            partial(show, f"Tuning {name}"),
        )
    content = {"settings": found.settings, grid.objective: found.value, "trials": found.trials}
    write_json(path, {**content, "provenance": provenance()})
    log.info("Tuned %s: %s, %s %.4g, %s", name, found.settings, grid.objective, found.value, path)

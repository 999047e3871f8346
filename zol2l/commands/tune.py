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
)
from zol2l.errors import InvalidInput
from zol2l.evaluation.tuning import TuningGrid, tune
from zol2l.optimizees import OptimizeeFamily
from zol2l.progress import progress_bars
from zol2l.provenance import provenance
from zol2l.stage import SETTINGS, claim, flat, write_json
from zol2l.weights_file import module_identity

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Tune every chosen method that has something to tune and was not tuned yet."""
    methods = {name: m for name, m in chosen_methods(cfg).items() if m.tuned}
    if not methods:
        raise InvalidInput("baseline", None, "the chosen methods have nothing to tune")
    grid: TuningGrid = build(cfg.tuning)
    family = family_of(cfg)
    for name, method in methods.items():
        build_method(cfg, method)
        claim(_folder(cfg, name), _settings(cfg, family, method))
        if not tuned_path(cfg, name).exists():
            _tune_method(cfg, grid, family, name, method)


def tuned_settings(
    cfg: DictConfig, family: OptimizeeFamily, method: DictConfig
) -> dict[str, float]:
    """What `zol2l tune` found for the method in this run folder; empty, and said so, where it was
    not run or where the method's own settings are no longer those that were tuned.
    """
    path = tuned_path(cfg, method.name)
    if not path.exists():
        return {}
    made_for = json.loads((path.parent / SETTINGS).read_text())
    found: dict[str, float] = json.loads(path.read_text())["settings"]
    now = flat(_settings(cfg, family, method))
    changed = [name for name, value in flat(made_for).items() if now.get(name) != value]
    if any(name.startswith("optimizer.") for name in changed):
        log.warning("%s: tuned %s not applied, %s differ", method.name, found, ", ".join(changed))
        return {}
    if changed:
        log.warning("%s was tuned with other %s", method.name, ", ".join(changed))
    log.info("%s: %s, from %s", method.name, found, path)
    return found


def tuned_path(cfg: DictConfig, name: str) -> Path:
    """Where the settings found are recorded, with the command that found them and every trial."""
    return _folder(cfg, name) / "tuned.json"


def _folder(cfg: DictConfig, name: str) -> Path:
    return Path(cfg.paths.tuning) / name


def _settings(cfg: DictConfig, family: OptimizeeFamily, method: DictConfig) -> dict[str, Any]:
    grid = {"tuning": plain(cfg.tuning), "steps": cfg.evaluation.steps}
    problem = {**optimizee_settings(cfg), "victim_weights": family.identity}
    optimizer = plain(method.optimizer)
    if method.learned:
        optimizer["learned"] = module_identity(build_method(cfg, method))
    return {**problem, **grid, "optimizer": optimizer}


def _tune_method(
    cfg: DictConfig, grid: TuningGrid, family: OptimizeeFamily, name: str, method: DictConfig
) -> None:
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

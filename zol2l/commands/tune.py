"""`zol2l tune`: tune hand-designed methods, or attacks, on validation instances."""

from __future__ import annotations

from functools import partial
from typing import Any

from omegaconf import DictConfig

from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.objects import (
    build_method,
    chosen_attacks,
    chosen_methods,
    family_of,
    problem_settings,
    warn_of_learned,
)
from zol2l.commands.search import found_settings, search
from zol2l.commands.tune_attacks import tune_attacks
from zol2l.errors import InvalidInput
from zol2l.evaluation.tuning import TuningGrid, optimizer_value
from zol2l.optimizees import OptimizeeFamily
from zol2l.storage.code import CODE, RUN, code_of
from zol2l.storage.weights_file import module_identity


def main(cfg: DictConfig) -> None:
    """Tune every chosen method, or attack, that has something to tune and was not tuned yet."""
    if chosen_attacks(cfg):
        tune_attacks(cfg)
        return
    methods = {name: m for name, m in chosen_methods(cfg).items() if m.tuned}
    if not methods:
        raise InvalidInput("baseline", None, "the chosen methods have nothing to tune")
    grid: TuningGrid = build(cfg.tuning)
    family = family_of(cfg)
    steps = cfg.evaluation.steps
    for name, method in methods.items():
        build_method(cfg, method)
        warn_of_learned(cfg, method)
        start = {setting: float(method.optimizer["update"][setting]) for setting in method.tuned}
        make = partial(build_method, cfg, method)
        value = partial(optimizer_value, make, family, steps, grid.objective)
        settings = _settings(cfg, family, method)
        search(cfg, name, settings, grid, start, value, grid.objective, steps // 2 + 1)


def tuned_settings(
    cfg: DictConfig, family: OptimizeeFamily, method: DictConfig
) -> dict[str, float]:
    """What `zol2l tune` found for the method in this run folder, as `found_settings` says."""
    return found_settings(cfg, method.name, _settings(cfg, family, method), "optimizer.")


def _settings(cfg: DictConfig, family: OptimizeeFamily, method: DictConfig) -> dict[str, Any]:
    grid = {"tuning": plain(cfg.tuning), "steps": cfg.evaluation.steps}
    problem = problem_settings(cfg, family)
    optimizer = identity_of(method.optimizer)
    if method.learned:
        optimizer["learned"] = module_identity(build_method(cfg, method))
    return {**problem, **grid, "optimizer": optimizer, CODE: code_of(*RUN)}

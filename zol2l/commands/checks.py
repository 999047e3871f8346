"""What is refused before data are read and Lightning is imported: settings of the parts that a
command is about to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from lightning_modules.meta_settings import MetaSettings
from zol2l.attacks.attack import Attack
from zol2l.commands.build import (
    build,
    check,
    check_arguments,
    imported,
    settings_of,
    with_whole_key,
)
from zol2l.commands.kinds import parameters
from zol2l.commands.meta_settings import named, settings_of_part
from zol2l.commands.objects import chosen_attacks, chosen_methods, learned_parts
from zol2l.commands.overrides import read_by
from zol2l.commands.points import at_point, points_of
from zol2l.commands.robust import (
    build_maximizer,
    build_objective,
    build_threat,
    chosen_defenses,
    require_recipe,
)
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput, require
from zol2l.networks.training import Training
from zol2l.optimizees.constrained_family import ConstrainedFamily
from zol2l.oracle import require_affordable
from zol2l.run import first_step

ANYWHERE = torch.zeros(1, 1)
"""A start point: what a first step costs does not depend on the problem."""
BLANK = ImageData(*(torch.zeros(1, 3, 32, 32), torch.tensor([9])) * 2)
"""Data of ten classes to make a maximizer for, where its settings alone are looked at."""
PRECISIONS = ("32-true", "32", "bf16-mixed")


def check_settings(
    command: str, cfg: DictConfig, choices: Mapping[str, Any], given: Sequence[str]
) -> None:
    """Refuse what is wrong in the settings that a command reads; `choices` says which option of
    each group was chosen, `given` is what the command line sets.
    """
    strategy = cfg.trainer.get("strategy")
    allowed = "ddp_fork (or ddp_spawn): ddp starts the command anew, which zol2l's commands cannot"
    require(strategy != "ddp", "trainer.strategy", strategy, allowed)
    reads = read_by(command, cfg)
    if "defenses" in cfg:
        _check_robust(cfg, reads, choices, given)
        return
    points = points_of(cfg) if "points" in reads else None
    for at in [cfg] if points is None else [at_point(cfg, points, v) for v in points.at]:
        _check_problem(at)
        if "attacking" in reads:
            _check_attacks(command, at)
        elif "methods" in reads:
            _check_methods(command, at, reads)
    for part in ("tuning", "analysis"):
        if part in reads and cfg[part] is not None:
            build(cfg[part])


def _check_problem(cfg: DictConfig) -> None:
    family = cfg.optimizee.family
    check(family)
    if "victim" not in cfg.optimizee:
        build(family)
        return
    check_victim(cfg.optimizee.victim)
    if refuse := getattr(imported(family.get("_target_")), "check_settings", None):
        try:
            refuse(**settings_of(family))
        except InvalidInput as error:
            raise with_whole_key(error, family) from None


def check_victim(victim: DictConfig) -> None:
    """Refuse what is wrong in a victim's data, network and training."""
    for part in ("data", "network"):  # a surrogate has its victim's data
        if part in victim:
            check(victim[part])
    if "training" in victim:
        training = settings_of(victim.training)
        try:
            check_arguments(Training, training)
            Training(**training)
        except InvalidInput as error:
            raise with_whole_key(error, victim.training) from None


def _check_methods(command: str, cfg: DictConfig, reads: set[str]) -> None:
    optimizers = {name: build(method.optimizer) for name, method in chosen_methods(cfg).items()}
    if "meta_training" in reads:
        _check_meta_training(cfg)
    if "evaluation" not in reads:
        return
    protocol = build(cfg.evaluation)
    if command != "tune":
        protocol.require_instances(cfg.optimizee.family[protocol.split])
        for name, optimizer in optimizers.items():
            require_affordable(protocol.budget, first_step(optimizer, ANYWHERE), of=name)


def _check_meta_training(cfg: DictConfig) -> None:
    training = cfg.meta_training
    schedule = build(training.truncation)
    for part in ("gradient", "curriculum"):
        if training.get(part):
            build(training[part])
    for (_, part), method in learned_parts(cfg).items():
        given = settings_of_part(cfg, method, part)
        try:
            known = {k: given[k] for k in given if k in parameters(MetaSettings)[0]}
            check_arguments(MetaSettings, known)
            MetaSettings(schedule=schedule, **known)
        except InvalidInput as error:
            raise named(cfg, method, part, error) from None
    size, available = training.batch_size, cfg.optimizee.family.train
    allowed = f"between 1 and the {available} training instances"
    require(1 <= size <= available, "meta_training.batch_size", size, allowed)


def _check_attacks(command: str, cfg: DictConfig) -> None:
    family = cfg.optimizee.family
    constrained = issubclass(imported(family.get("_target_")), ConstrainedFamily)
    allowed = "one with a threat model, such as mnist_linf (`zol2l list` shows them)"
    require(constrained, "optimizee", cfg.optimizee.name, allowed)
    protocol = build(cfg.attacking)
    if command != "tune":
        protocol.require_images(family[protocol.split])
    options = protocol.options_within(build(family.threat), family.kappa)
    for name, attack in chosen_attacks(cfg).items():
        more = {}
        if "surrogate" in attack:
            check_victim(attack.surrogate)
            more["surrogate"] = nn.Identity()
        built: Attack = build(attack.attack, **options, **more)
        built.require_budget("attacking.budget", name)
    for victim in (cfg.get("shown_to") or {}).values():
        check_victim(victim)


def _check_robust(
    cfg: DictConfig, reads: set[str], choices: Mapping[str, Any], given: Sequence[str]
) -> None:
    require_recipe(cfg, choices, given)
    precision = str(cfg.trainer.precision)
    allowed = "32-true or bf16-mixed: one loss scale of float16 cannot serve two players"
    require(precision in PRECISIONS, "trainer.precision", precision, allowed)
    for part in ("recipe", "network", "data"):
        check(cfg[part])
    build(cfg.recipe.training)
    build_threat(cfg)
    defenses = [*chosen_defenses(cfg).values(), *cfg.surrogates.values()]
    attackers = list(cfg.attackers.values()) if "attackers" in reads else []
    for player in (*defenses, *attackers):
        check(player)
        if isinstance(player.get("objective"), DictConfig):
            build_objective(player.objective)
        maximizer = player.get("maximizer")  # without a target it is a defense's, changed
        if isinstance(maximizer, DictConfig) and "_target_" in maximizer:
            build_maximizer(maximizer, BLANK)
    for part in ("robustness", "analysis"):
        if part in reads and cfg[part] is not None:
            build(cfg[part])

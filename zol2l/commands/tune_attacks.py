"""Attacks as configured, and their step sizes as tuned on validation images."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zol2l.attacks.attack import Attack
from zol2l.attacks.checkpoint import AttackCheckpoint
from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.objects import chosen_attacks, family_of, problem_settings
from zol2l.commands.search import found_settings, search
from zol2l.commands.surrogate import surrogate_of
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.attacking import AttackProtocol, attack_once, penalized_queries
from zol2l.evaluation.trials import Settings
from zol2l.evaluation.tuning import TUNING_SEED, Report, TuningGrid
from zol2l.optimizees.constrained_family import ConstrainedFamily


def constrained_family(cfg: DictConfig) -> ConstrainedFamily:
    """The family of attacks within a threat model."""
    family = family_of(cfg)
    if not isinstance(family, ConstrainedFamily):
        allowed = "one with a threat model, such as mnist_linf (`zol2l list` shows them)"
        raise InvalidInput("optimizee", cfg.optimizee.name, allowed)
    return family


def build_attack(
    cfg: DictConfig,
    attack: DictConfig,
    family: ConstrainedFamily,
    protocol: AttackProtocol,
    settings: Settings | None = None,
) -> Attack:
    """The attack with some of its settings, named by dotted keys, in the place of its own."""
    config = OmegaConf.create(plain(attack.attack), parent=attack)
    config._set_key("attack")  # where it stands, as messages say
    for key, value in (settings or {}).items():
        OmegaConf.update(config, key, value)
    options = protocol.options(family)
    if "surrogate" in attack:
        options["surrogate"] = surrogate_of(cfg, attack.surrogate, family)
    built: Attack = build(config, **options)
    return built


def tune_attacks(cfg: DictConfig) -> None:
    """Tune every chosen attack that has something to tune and was not tuned yet."""
    tuned = {name: attack for name, attack in chosen_attacks(cfg).items() if attack.tuned}
    if not tuned:
        raise InvalidInput("attack", None, "the chosen attacks have nothing to tune")
    family = constrained_family(cfg)
    protocol = on_validation(build(cfg.attacking), family)
    for name, attack in tuned.items():
        build_attack(cfg, attack, family, protocol)
        chosen = plain(attack.tuned)
        require(len(chosen) == 1, f"{name}.tuned", ", ".join(chosen), "one setting and its values")
        ((key, values),) = chosen.items()
        grid: TuningGrid = build(cfg.tuning)
        start = {key: float(OmegaConf.select(attack.attack, key))}
        value = partial(attack_value, cfg, attack, family, protocol)
        settings = attack_settings(cfg, family, attack)
        search(cfg, name, settings, grid.over(key, values), start, value, "penalized_queries", 1)


def attack_value(
    cfg: DictConfig,
    attack: DictConfig,
    family: ConstrainedFamily,
    protocol: AttackProtocol,
    settings: Settings,
    report: Report,
    running: Path,
) -> float:
    """Penalized queries of the attack with these settings on the protocol's images."""
    built = build_attack(cfg, attack, family, protocol, settings)
    checkpoint = AttackCheckpoint(running)
    return penalized_queries(attack_once(attack.name, built, family, protocol, checkpoint)[0])


def tuned_attack_settings(
    cfg: DictConfig, family: ConstrainedFamily, attack: DictConfig
) -> Settings:
    """What was found for the attack in this run folder."""
    if not attack.tuned:
        return {}
    return found_settings(cfg, attack.name, attack_settings(cfg, family, attack), "attack.")


def on_validation(protocol: AttackProtocol, family: ConstrainedFamily) -> AttackProtocol:
    """As the configured one, on all validation images, whatever the seed."""
    images = family.sizes["validation"]
    return replace(protocol, split="validation", images=images, first=0, seed=TUNING_SEED)


def attack_settings(
    cfg: DictConfig, family: ConstrainedFamily, attack: DictConfig
) -> dict[str, Any]:
    """All that tuning an attack depends on."""
    return {
        **problem_settings(cfg, family),
        "tuning": plain(cfg.tuning),
        "budget": cfg.attacking.budget,
        "attack": identity_of(attack),
    }

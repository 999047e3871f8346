"""What the commands of adversarial training build: data, classifiers, maximizers, their folders."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig
from torch import nn

from zol2l.commands.build import CONF, build, imported
from zol2l.commands.folders import data_root, store
from zol2l.commands.options import entries
from zol2l.data.datasets import ImageData
from zol2l.errors import require
from zol2l.maximizers import Maximizer, Objective
from zol2l.networks.convolutional import class_count
from zol2l.optimizees.threat_model import LInfBall, ThreatModel


def require_recipe(cfg: DictConfig, choices: Mapping[str, Any], given: Sequence[str]) -> None:
    """Refuse data that nothing is known about how to train on, groups that are not there, and a
    `seed` that is not the one that defenses are trained with. `choices` are the groups' options,
    which follow `data` by name where nothing was chosen, `given` what the command line sets.
    """
    for group in ("recipe", "network"):
        known = ", ".join(entries(CONF, group))
        require(cfg.get(group) is not None, group, choices.get(group), f"one of {known}")
    for name in ("defenses", "attackers"):
        shape = "NAME: ..., as in conf/robust.yaml"
        require(isinstance(cfg[name], DictConfig), name, cfg[name], shape)
    seeds = list(cfg.seeds) if isinstance(cfg.seeds, ListConfig) else cfg.seeds
    whole = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
    distinct = whole and 0 < len(set(seeds)) == len(seeds)
    require(distinct, "seeds", seeds, "a list of different whole numbers, as [0, 1]")
    single = type(cfg.surrogate_seed) is int
    require(single, "surrogate_seed", cfg.surrogate_seed, "a whole number")
    meant = seeds == [cfg.seed] or not any(text.startswith("seed=") for text in given)
    allowed = f"not used: defenses are trained with seeds={cfg.seeds}; give seeds=[{cfg.seed}]"
    require(meant, "seed", cfg.seed, allowed)


def robust_data(cfg: DictConfig) -> ImageData:
    """The data, with the first `recipe.train` training images alone."""
    data: ImageData = build(cfg.data, root=data_root(cfg))
    return data.mixed().first(cfg.recipe.train, "recipe.train")


def chosen_defenses(cfg: DictConfig) -> dict[str, DictConfig]:
    """The defense that defense= names, else `defenses`."""
    named = cfg.get("defense")
    chosen = cfg.defenses.items() if named is None else [(named.name, named)]
    require(len(chosen) > 0, "defense", None, "name one; `zol2l list` shows them")
    return {str(name): defense for name, defense in chosen}


def known_defenses(cfg: DictConfig) -> dict[str, DictConfig]:
    """Those of `defenses`, the chosen one in the place of its namesake."""
    return {**{str(k): v for k, v in cfg.defenses.items()}, **chosen_defenses(cfg)}


def player_path(cfg: DictConfig, name: str, seed: int, player: str) -> Path:
    """Where a defense keeps what it has trained with a seed."""
    return store(cfg) / "defenses" / name / f"seed{seed}" / f"{player}.safetensors"


def build_classifier(cfg: DictConfig, data: ImageData) -> nn.Module:
    """The network for these images, with random weights."""
    known = shaped_by(cfg.network.network, data, seed=torch.initial_seed())
    network: nn.Module = build(cfg.network.network, **known)
    outputs = class_count(network, data.test_images)
    highest = int(data.test_labels.max())
    require(highest < outputs, "network.classes", outputs, f"more than {highest}")
    return network


def build_maximizer(config: DictConfig, data: ImageData) -> Maximizer:
    """The maximizer for these images, with random weights."""
    maximizer: Maximizer = build(config, **shaped_by(config, data))
    return maximizer


def build_threat(cfg: DictConfig) -> ThreatModel:
    """The threat model of training and of all attackers."""
    threat: ThreatModel = build(cfg.threat)
    allowed = "threat=linf: maximizers step by the gradient's sign, which is weak in other balls"
    require(isinstance(threat, LInfBall), "threat", type(threat).__name__, allowed)
    return threat


def build_objective(config: DictConfig) -> Objective:
    """What a maximizer raises."""
    objective: Objective = build(config)
    return objective


def shaped_by(config: DictConfig, data: ImageData, **more: int) -> dict[str, int]:
    """Those of channels, size and classes, as the data has them, and of `more` that the target
    takes and the configuration leaves open.
    """
    labels = torch.cat([data.train_labels, data.test_labels])
    known = {
        "channels": data.test_images.shape[1],
        "size": data.test_images.shape[2],
        "classes": int(labels.max()) + 1,
        **more,
    }
    taken = inspect.signature(imported(config["_target_"])).parameters
    return {k: v for k, v in known.items() if k in taken and k not in config}

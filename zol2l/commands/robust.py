"""What the commands of adversarial training build: data, classifiers, maximizers, their folders."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from zol2l.attacks.threat_model import ThreatModel
from zol2l.build import build, imported, plain
from zol2l.commands.objects import data_root, store
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.robustness import Attacker
from zol2l.learned_weights import load_part
from zol2l.maximizers import Maximizer, Objective
from zol2l.victims.checkpoints import frozen
from zol2l.victims.datasets import ImageData
from zol2l.victims.networks import class_count

PLAYERS = ("classifier", "maximizer")


def require_recipe(cfg: DictConfig) -> None:
    """Refuse data that nothing is known about how to train on."""
    for group in ("recipe", "network"):
        missing = cfg.get(group) is None
        require(not missing, group, None, "name one; `zol2l list` shows those that there are")


def robust_data(cfg: DictConfig) -> ImageData:
    """The data, with the first `recipe.train` training images alone."""
    data: ImageData = build(cfg.data, root=data_root(cfg))
    count, available = cfg.recipe.train, len(data.train_images)
    if count is None:
        return data
    require(1 <= count <= available, "recipe.train", count, f"1 to {available}, or null")
    images, labels = data.train_images[:count], data.train_labels[:count]
    return replace(data, train_images=images, train_labels=labels)


def chosen_defenses(cfg: DictConfig) -> dict[str, DictConfig]:
    """The defense that defense= names, else `defenses`."""
    named = cfg.get("defense")
    chosen = list(cfg.defenses.values()) if named is None else [named]
    return {defense.name: defense for defense in chosen}


def player_path(cfg: DictConfig, name: str, seed: int, player: str) -> Path:
    """Where a defense keeps what it has trained with a seed."""
    return store(cfg) / "defenses" / name / f"seed{seed}" / f"{player}.safetensors"


def build_classifier(cfg: DictConfig, data: ImageData) -> nn.Module:
    """The network for these images, with random weights."""
    network: nn.Module = build(cfg.network.network, **fitting(cfg.network.network, data))
    outputs = class_count(network, data.test_images)
    highest = int(data.test_labels.max())
    require(highest < outputs, "network.classes", outputs, f"more than {highest}")
    return network


def build_maximizer(config: DictConfig, data: ImageData) -> Maximizer:
    """The maximizer for these images, with random weights."""
    maximizer: Maximizer = build(config, **fitting(config, data))
    return maximizer


def build_threat(cfg: DictConfig) -> ThreatModel:
    """The threat model of training and of all attackers."""
    threat: ThreatModel = build(cfg.threat)
    return threat


def build_objective(config: DictConfig) -> Objective:
    """What a maximizer raises."""
    objective: Objective = build(config)
    return objective


def fitting(config: DictConfig, data: ImageData) -> dict[str, int]:
    """Those of channels, size and classes that the target takes and the configuration leaves open,
    as the data has them.
    """
    labels = torch.cat([data.train_labels, data.test_labels])
    known = {
        "channels": data.test_images.shape[1],
        "size": data.test_images.shape[2],
        "classes": int(labels.max()) + 1,
    }
    taken = inspect.signature(imported(config["_target_"])).parameters
    return {k: v for k, v in known.items() if k in taken and k not in config}


def trained_classifier(cfg: DictConfig, name: str, seed: int, data: ImageData) -> nn.Module:
    """The classifier that a defense has trained with a seed, ready to be attacked."""
    network = build_classifier(cfg, data)
    load_part(player_path(cfg, name, seed, "classifier"), network)
    return frozen(network)


def trained_maximizer(
    cfg: DictConfig, name: str, seed: int, data: ImageData, changes: Mapping[str, Any]
) -> Maximizer:
    """The maximizer that a defense has trained with a seed, with some settings changed."""
    known = {**cfg.defenses, **chosen_defenses(cfg)}
    if name not in known:
        raise InvalidInput("attacker.learned_by", name, f"one of {', '.join(map(str, known))}")
    config = OmegaConf.create({**plain(known[name].maximizer), **changes})
    maximizer = build_maximizer(config, data)
    load_part(player_path(cfg, name, seed, "maximizer"), maximizer)
    maximizer.requires_grad_(False)
    return maximizer.eval()


def build_attacker(
    cfg: DictConfig,
    attacker: DictConfig,
    seed: int,
    data: ImageData,
    surrogates: dict[str, nn.Module],
) -> Attacker:
    """The attacker, with what was learned with the same seed."""
    if attacker.learned_by is None:
        maximizer = build_maximizer(attacker.maximizer, data)
    else:
        changes = plain(attacker.maximizer)
        maximizer = trained_maximizer(cfg, attacker.learned_by, seed, data, changes)
    source = attacker.source
    if source is not None and source not in surrogates:
        raise InvalidInput(f"attackers.{attacker.name}.source", source, "one of `surrogates`")
    return Attacker(maximizer, build_objective(attacker.objective), surrogates.get(source))

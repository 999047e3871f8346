"""What the commands of adversarial training load: players with the weights that were trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from zol2l.build import identity_of, plain
from zol2l.commands.objects import chosen_device
from zol2l.commands.robust import (
    build_classifier,
    build_maximizer,
    build_objective,
    known_defenses,
    player_path,
)
from zol2l.errors import require
from zol2l.evaluation.robustness import Attacker
from zol2l.json_files import as_json, flat
from zol2l.learned_weights import load_part, read_card_of
from zol2l.maximizers import Maximizer
from zol2l.victims.checkpoints import frozen
from zol2l.victims.datasets import ImageData
from zol2l.weights_file import identity

UNIMPORTANT = ("sizes", "checkpoint_seconds")
"""Of a recipe, what its result does not depend on: other scales, how often it is saved."""


def training_settings(cfg: DictConfig, defense: DictConfig) -> dict[str, Any]:
    """What a defense is, how it is trained, and the network."""
    settings = identity_of(defense)
    for player, start in settings["start"].items():
        settings["start"][player] = _identity(player, start) if start else None
    recipe = {k: v for k, v in identity_of(cfg.recipe).items() if k not in UNIMPORTANT}
    return {"defense": settings, "recipe": recipe, "network": identity_of(cfg.network)}


def _identity(player: str, start: str) -> str:
    field, path = f"defense.start.{player}", Path(start)
    require(path.is_file(), field, start, "a file that adv-train has written")
    read_card_of(path)  # refuses what no player has left
    return identity(path)


def trained_classifier(
    cfg: DictConfig, name: str, defense: DictConfig, seed: int, data: ImageData
) -> nn.Module:
    """The classifier that a defense has trained with a seed, ready to be attacked; its radius may
    be another now.
    """
    network, path = build_classifier(cfg, data), player_path(cfg, name, seed, "classifier")
    require_as_trained(cfg, name, defense, path, data)
    load_part(path, network)
    return frozen(network).to(chosen_device(cfg))


def require_as_trained(
    cfg: DictConfig, name: str, defense: DictConfig, path: Path, data: ImageData
) -> None:
    """Refuse weights that were trained with other settings, but for the radius, or on other data,
    wherever it lies now.
    """
    before, now = read_card_of(path)["settings"], training_settings(cfg, defense)
    now["data"] = plain(cfg.data)
    for settings in (before, now):
        settings["recipe"].pop("eps", None)
        settings["data"].pop("folder", None)
    for part, wanted in now.items():
        field = name if part == "defense" else part
        trained, given = flat(before[part], field), flat(as_json(wanted), field)
        for key in sorted(trained.keys() | given.keys()):
            same = trained.get(key) == given.get(key)
            require(same, key, given.get(key), f"{trained.get(key)}, as {name} was trained")
    allowed = f"the images that {name} was trained on; set run_name for others"
    same = before["data_identity"] == data.identity
    require(same, "data.folder", cfg.data.get("folder"), allowed)


def trained_maximizer(
    cfg: DictConfig, name: str, seed: int, data: ImageData, changes: Mapping[str, Any]
) -> Maximizer:
    """The maximizer that a defense has trained with a seed, with some settings changed."""
    known = known_defenses(cfg)
    require(name in known, "attacker.learned_by", name, f"one of {', '.join(known)}")
    path = player_path(cfg, name, seed, "maximizer")
    require_as_trained(cfg, name, known[name], path, data)
    config = OmegaConf.create({**plain(known[name].maximizer), **changes})
    maximizer = build_maximizer(config, data)
    load_part(path, maximizer)
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
    objective = build_objective(attacker.objective)
    return Attacker(maximizer.to(chosen_device(cfg)), objective, surrogates.get(attacker.source))

"""What the commands of adversarial training load: players with the weights that were trained."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from zol2l.commands.build import (
    check_arguments,
    identity_of,
    imported,
    key_of,
    plain,
    with_whole_key,
)
from zol2l.commands.objects import chosen_device
from zol2l.commands.robust import (
    build_classifier,
    build_maximizer,
    build_objective,
    known_defenses,
    player_path,
)
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.robustness import Attacker
from zol2l.maximizers import Maximizer
from zol2l.networks.checkpoints import frozen
from zol2l.networks.convolutional import parameter_count
from zol2l.storage.code import CODE, code_of
from zol2l.storage.json_files import as_json, flat
from zol2l.storage.learned_weights import load_part, read_card_of
from zol2l.storage.weights_file import identity

UNIMPORTANT = ("sizes", "checkpoint_seconds")
"""Of a recipe, what its result does not depend on: other scales, how often it is saved."""


def training_settings(cfg: DictConfig, defense: DictConfig) -> dict[str, Any]:
    """What a defense is, how it is trained, and the network."""
    settings = identity_of(defense)
    for player, start in settings["start"].items():
        field = f"{key_of(defense)}.start.{player}"
        settings["start"][player] = None if start is None else _identity(field, start)
    recipe = {k: v for k, v in identity_of(cfg.recipe).items() if k not in UNIMPORTANT}
    code = code_of("lightning_modules.adversarial_training.AdversarialTraining")
    network = identity_of(cfg.network)
    return {"defense": settings, "recipe": recipe, "network": network, CODE: code}


def _identity(field: str, start: Any) -> str:
    there = isinstance(start, str) and Path(start).is_file()
    require(there, field, start, "a file that adv-train has written, or null")
    read_card_of(Path(start))  # refuses what no player has left
    return identity(Path(start))


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


def check_attackers(cfg: DictConfig, data: ImageData, trained: Collection[str]) -> None:
    """Refuse attackers that cannot be built, and those that nobody has trained in this run folder,
    nor will: `trained` are the defenses that are about to be.
    """
    require(len(cfg.attackers) > 0, "attackers", None, "at least one; `zol2l list` shows them")
    alone = cfg.get("analysis") is not None  # analyses have no surrogates
    sources = [] if alone else [str(name) for name in cfg.surrogates]
    known = ", ".join(["null", *sources])
    more = "" if alone else "; +defense@surrogates.NAME=advtrain trains one"
    for name, attacker in cfg.attackers.items():
        field, leave = f"attackers.{name}", f"'~attackers.{name}' leaves it out"
        there = attacker.source in (None, *sources)
        require(there, f"{field}.source", attacker.source, f"{known}{more}; {leave}")
        build_objective(attacker.objective)
        if attacker.learned_by is None:
            build_maximizer(attacker.maximizer, data)
            continue
        _taught(cfg, attacker, data)
        teacher, seeds = attacker.learned_by, list(map(int, cfg.seeds))
        paths = {seed: player_path(cfg, teacher, seed, "maximizer") for seed in seeds}
        missing = [seed for seed in seeds if not paths[seed].exists()]
        told = f"trained in this run folder with seeds={missing} (zol2l adv-train defense=NAME)"
        there = teacher in trained or not missing
        require(there, f"{field}.learned_by", teacher, f"a defense {told}; {leave}")


def _taught(cfg: DictConfig, attacker: DictConfig, data: ImageData) -> Maximizer:
    """The maximizer of the attacker's teacher, with the attacker's settings and random weights."""
    known, changes = known_defenses(cfg), attacker.maximizer
    field, teacher = f"{key_of(attacker)}.learned_by", attacker.learned_by
    require(teacher in known, field, teacher, f"one of {', '.join(known)}")
    taught = known[teacher].maximizer
    try:
        check_arguments(imported(taught["_target_"]), plain(changes))
        made = build_maximizer(OmegaConf.create({**plain(taught), **plain(changes)}), data)
    except InvalidInput as error:
        raise with_whole_key(error, changes) from None
    require(parameter_count(made) > 0, field, teacher, "a defense that learns, as rnn_adv does")
    return made


def trained_maximizer(
    cfg: DictConfig, attacker: DictConfig, seed: int, data: ImageData
) -> Maximizer:
    """The maximizer that the attacker's teacher has trained with a seed, with the attacker's
    settings.
    """
    maximizer, teacher = _taught(cfg, attacker, data), attacker.learned_by
    path = player_path(cfg, teacher, seed, "maximizer")
    require_as_trained(cfg, teacher, known_defenses(cfg)[teacher], path, data)
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
        maximizer = trained_maximizer(cfg, attacker, seed, data)
    objective = build_objective(attacker.objective)
    return Attacker(maximizer.to(chosen_device(cfg)), objective, surrogates.get(attacker.source))

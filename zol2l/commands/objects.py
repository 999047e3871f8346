"""What commands build from the configuration: folders, victims, families, methods."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig

from zol2l.commands.build import build, identity_of
from zol2l.commands.folders import store
from zol2l.errors import InvalidInput, require
from zol2l.optimizees import OptimizeeFamily
from zol2l.optimizees.family import SPLITS
from zol2l.optimizer import ComposedOptimizer
from zol2l.pretrained import released_folder
from zol2l.storage.code import CODE, TARGET
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.json_files import flat
from zol2l.storage.learned_weights import load_part, read_card_of

log = logging.getLogger(__name__)

RELEASED = "pretrained/"
SIZES = tuple(f"optimizee.family.{split}" for split in SPLITS)


_families: dict[tuple[str, str], OptimizeeFamily] = {}


def family_of(cfg: DictConfig) -> OptimizeeFamily:
    """The family of problem instances; an attack's victim is loaded, or trained if need be.

    The stages of a chain and the jobs of a sweep in one process share it: nothing changes a family.
    """
    key = fingerprint(optimizee_settings(cfg)), str(cfg.paths.data_root)
    if key not in _families:
        _families[key] = _build_family(cfg)
    _families[key].device = chosen_device(cfg)
    return _families[key]


def chosen_device(cfg: DictConfig) -> torch.device:
    """Where problems are solved: on the trainer's device, of a list of GPUs (`trainer.devices=[1]`)
    the first. With several processes it is for each to say: they cannot be forked from one that
    uses a GPU.
    """
    if "fork" in str(cfg.trainer.get("strategy")):
        return torch.device("cpu")
    accelerator = str(cfg.trainer.accelerator)
    cuda = torch.cuda.device_count()
    if accelerator == "cpu" or (accelerator == "auto" and not cuda):
        return torch.device("cpu")
    known = cuda > 0 and accelerator in ("auto", "gpu", "cuda")
    require(known, "trainer.accelerator", accelerator, "no CUDA device was found; take trainer=cpu")
    devices = cfg.trainer.get("devices")
    first = next(iter(devices), -1) if isinstance(devices, ListConfig) else 0
    require(first in range(cuda), "trainer.devices", devices, f"GPUs are 0 to {cuda - 1}")
    return torch.device("cuda", first)


def _build_family(cfg: DictConfig) -> OptimizeeFamily:
    if "victim" not in cfg.optimizee:
        return _checked(build(cfg.optimizee.family))
    from zol2l.commands.train_victim import ensure_victim  # with pandas, which refusals do without

    network, data, card = ensure_victim(cfg)
    family = _checked(
        build(
            cfg.optimizee.family, victim=network, images=data.test_images, labels=data.test_labels
        )
    )
    family.identity += data.identity
    if card is not None and card.path is not None:
        family.files = (card.path,)
    return family


def chosen_methods(cfg: DictConfig) -> dict[str, DictConfig]:
    """The methods named on the command line (optimizer=, baseline=, ablation=), else `methods`."""
    groups = ("optimizer", "baseline", "ablation")
    named = [cfg[group] for group in groups if cfg.get(group) is not None]
    methods = named or list(cfg.methods.values())
    return {method.name: method for method in methods}


def chosen_attacks(cfg: DictConfig) -> dict[str, DictConfig]:
    """The attack named on the command line (attack=), else the configuration's `attacks`."""
    chosen = [cfg.attack] if cfg.get("attack") is not None else list(cfg.attacks.values())
    named: dict[str, DictConfig] = {}
    for attack in chosen:
        if attack is not None:
            allowed = "two attacks have this name; give one another: attacks.KEY.name=OTHER"
            require(attack.name not in named, "attack.name", attack.name, allowed)
            named[attack.name] = attack
    return named


def learned_parts(cfg: DictConfig) -> dict[tuple[str, str], DictConfig]:
    """(method, part) -> method, in training order: what the chosen methods need to have learned in
    this run folder. A part from elsewhere (`is_source`) is not learned here.
    """
    needed: dict[tuple[str, str], DictConfig] = {}
    for part in ("update", "sampling"):
        for method in chosen_methods(cfg).values():
            owner = method.learned.get(part)
            if owner is not None and not is_source(owner):
                needed.setdefault((owner, part), method)
    return needed


def weights_path(cfg: DictConfig, owner: str, part: str) -> Path:
    """Where the learned `part` that was trained with the method `owner` is kept: in this run folder
    or, where `owner` is a source, there.
    """
    folder = source_folder(owner) if is_source(owner) else store(cfg) / "meta" / owner
    return folder / part / "weights.safetensors"


def is_source(owner: str) -> bool:
    """Whether `owner` names a folder of learned parts and not a method of this run folder."""
    return "/" in owner


def source_folder(source: str) -> Path:
    """`pretrained/NAME`, a released optimizer, or any folder that `meta-train` has filled, such as
    outputs/fig2_mnist/meta/zo_lstm.
    """
    if source.startswith(RELEASED):
        return released_folder(source.removeprefix(RELEASED))
    return Path(source).expanduser()


def build_method(
    cfg: DictConfig, method: DictConfig, settings: Mapping[str, Any] | None = None
) -> ComposedOptimizer:
    """The method's optimizer, with `settings` of its update rule and the weights it has learned."""
    config = method.optimizer.copy()
    config["update"].update(settings or {})
    optimizer: ComposedOptimizer = build(config)
    for part, owner in method.learned.items():
        load_part(weights_path(cfg, owner, part), getattr(optimizer, part))
    for part, module in optimizer.named_children():
        learned = part in method.learned or not list(module.parameters())
        allowed = "has weights that nobody has trained; name their owner in `learned`"
        require(learned, f"{method.name}.{part}", type(module).__name__, allowed)
    return optimizer


def warn_of_learned(cfg: DictConfig, method: DictConfig) -> None:
    """Say so where a method's learned parts come from another problem."""
    for part, owner in method.learned.items():
        card = read_card_of(weights_path(cfg, owner, part))
        warn_of_differences(cfg, f"The {part} rule was trained", card.get("settings", {}))


def warn_of_differences(cfg: DictConfig, what: str, settings: Mapping[str, Any]) -> None:
    """Say so where something was made for another problem than the one at hand."""
    told = (TARGET, CODE)
    now = {
        key: value
        for key, value in optimizee_settings(cfg).items()
        if key not in SIZES and not key.endswith(told)
    }
    other = [f"{k}={settings[k]} (now {v})" for k, v in now.items() if settings.get(k, v) != v]
    if other:
        log.warning("%s on another problem: %s", what, ", ".join(other))


def optimizee_settings(cfg: DictConfig) -> dict[str, Any]:
    """The resolved settings of the optimizee, flat: part of every stage's identity."""
    return flat(identity_of(cfg.optimizee), "optimizee")


def problem_settings(cfg: DictConfig, family: OptimizeeFamily) -> dict[str, Any]:
    """What results depend on of the problems and the device, whose random numbers are its own."""
    settings = {**optimizee_settings(cfg), "victim_weights": family.identity}
    return settings if family.device.type == "cpu" else {**settings, "device": family.device.type}


def _checked(family: Any) -> OptimizeeFamily:
    if not isinstance(family, OptimizeeFamily):
        raise InvalidInput("optimizee.family", type(family).__name__, "an OptimizeeFamily")
    return family

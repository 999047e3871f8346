"""Settings that no constructor checks, and what holds of names and numbers wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from zol2l.commands.build import key_as_typed
from zol2l.commands.kinds import wrong
from zol2l.errors import InvalidInput
from zol2l.storage.names import require_name

LARGEST_SEED = 2**32 - 1
"""What all random number generators take."""
COLLECTIONS = ("methods", "attacks", "defenses", "attackers", "surrogates", "shown_to")
KINDS: Mapping[str, Any] = {
    "experiment_name": str | None,
    "logger.tensorboard": bool,
    "logger.wandb": bool,
    "logger.project": str,
    "logger.tags": list[str],
    "paths.data_root": str | None,
    "paths.outputs": str,
    "meta_training": dict,
    "meta_training.rate": dict[str, float],
    "meta_training.meta_steps": dict[str, int],
    "meta_training.batch_size": int,
    "meta_training.validate_every": int,
    "meta_training.validation_trials": int,
    "meta_training.regularization": float,
    "meta_training.clamp": float,
    "meta_training.slopes": str,
    "finetuning.scale": float,
    "finetuning.meta_steps": dict[str, int],
    "recipe.eps": float,
    "recipe.train": int | None,
    "recipe.checkpoint_seconds": float,
    "trainer.accelerator": str,
    "trainer.devices": int | str | list[int],
    "trainer.num_nodes": int,
    "trainer.log_every_n_steps": int | None,
    "surrogate_seed": int,
    **dict.fromkeys(("finetuning", "meta_training.truncation"), dict),
    **{f"recipe.{part}": dict for part in ("training", "optimizer", "sizes")},
    **dict.fromkeys(("analysis", "meta_training.curriculum"), dict | None),
    "meta_training.gradient": dict | None,
    **{f"optimizee.{part}": dict for part in ("family", "victim")},
    **{f"optimizee.victim.{part}": dict for part in ("data", "network", "training")},
    **dict.fromkeys(("optimizee", "evaluation", "tuning", "attacking", "robustness"), dict),
    **dict.fromkeys(("baseline", "ablation", "optimizer", "attack", "defense"), dict | None),
    **dict.fromkeys((*COLLECTIONS, "threat"), dict),
    **dict.fromkeys(("data", "network", "recipe"), dict | None),
}
"""Of which kind they are, where they are there."""
OF_METHODS = {
    "name": str,
    "learned": dict[str, str],
    "tuned": list[str] | dict[str, list[Any]] | None,
    "source": str | None,
    "optimizer": dict,
    "attack": dict,
    "meta_steps": dict[str, int],
}
"""The same of the parts of a method or an attack."""
PARTS = ("update", "sampling")
"""What a method may have learned."""


def check_plain(cfg: DictConfig) -> None:
    """Refuse seeds that are none, numbers of more than 64 bits, names that cannot be a file's, and
    values of another kind than `KINDS` says.
    """
    for key, value in _values(cfg, ""):
        name = key.rpartition(".")[2]
        if isinstance(value, int) and (told := wrong(value, Any)):
            raise InvalidInput(key, value, told)
        if name == "seed" or name.endswith("_seed"):
            _check_seed(key, value)
    for key, hint in KINDS.items():
        _check_kind(cfg, key, hint)
    for part in ("baseline", "ablation", "optimizer", "attack"):
        _check_method(cfg, part)
    for part in COLLECTIONS:
        for name in cfg.get(part) or ():
            _check_kind(cfg, f"{part}.{name}", dict)
            if part in ("methods", "attacks"):
                _check_method(cfg, f"{part}.{name}")
    for key in ("optimizee.victim.name", "defense.name"):
        if (value := OmegaConf.select(cfg, key)) is not None:
            require_name(key, value)


def _check_method(cfg: DictConfig, part: str) -> None:
    if OmegaConf.select(cfg, part) is None:
        return
    _check_kind(cfg, part, dict)
    for name, hint in OF_METHODS.items():
        _check_kind(cfg, f"{part}.{name}", hint)
    require_name(f"{part}.name", OmegaConf.select(cfg, f"{part}.name"))
    for learned in OmegaConf.select(cfg, f"{part}.learned") or ():
        if learned not in PARTS:
            raise InvalidInput(f"{part}.learned", learned, f"{' and '.join(PARTS)} are learned")


def _check_seed(key: str, value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and 0 <= value <= LARGEST_SEED):
        raise InvalidInput(key, value, f"a seed is a whole number from 0 to {LARGEST_SEED}")


def _check_kind(cfg: DictConfig, key: str, hint: Any) -> None:
    place, _, name = key.rpartition(".")
    node = OmegaConf.select(cfg, place) if place else cfg
    if not isinstance(node, DictConfig) or name not in node:
        return
    value = node[name]
    plain = value
    if OmegaConf.is_config(value):  # of mere settings what is in them does not matter
        plain = OmegaConf.to_container(value, resolve=hint not in (dict, dict | None))
    if told := wrong(plain, hint):
        raise InvalidInput(key_as_typed(node, name), value, f"must be {told}")


def _values(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """The key and value of every setting that is written, not taken from another one."""
    if isinstance(node, DictConfig | ListConfig):
        if node._is_none() or node._is_interpolation() or node._is_missing():
            return
        names: Any = node.keys() if isinstance(node, DictConfig) else range(len(node))
        for name in names:
            yield from _values(node._get_node(name), f"{key}.{name!s}".lstrip("."))
        return
    if not node._is_interpolation() and not node._is_missing():
        yield key, node._value()

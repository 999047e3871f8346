"""What a command line may set: the parts of the configuration that each command reads."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from zol2l.errors import InvalidInput, nearest

log = logging.getLogger(__name__)

SHAPE = re.compile(
    r"(?P<sign>\+\+|\+|~)?(?P<name>[^@=]+)(@(?P<package>[^=]*))?(=(?P<value>.*))?", re.S
)
EVERYWHERE = {
    *("run_name", "store_name", "experiment_name", "experiment", "seed", "size", "sizes", "scale"),
    *("trainer", "logger", "paths", "hydra", "sweep"),
}
"""Parts of the configuration that every command reads."""
PROBLEM = {"optimizee", "data"}
METHODS = {*PROBLEM, "optimizer", "baseline", "ablation", "methods", "finetuning"}
EVALUATE = {*METHODS, "tuning", "evaluation"}
ATTACK = {*PROBLEM, "attack", "attacks", "attacking", "tuning"}
META_TRAIN = {*METHODS, "meta_gradient", "meta_training"}
ADV_TRAIN = {
    *("data", "network", "recipe", "threat", "defense", "defenses"),
    *("surrogates", "surrogate_seed", "seeds"),
}
ADV_EVALUATE = {*ADV_TRAIN, "attackers", "robustness", "analysis"}
OF_METHODS = {
    "train-victim": PROBLEM,
    "meta-train": META_TRAIN,
    "tune": EVALUATE,
    "evaluate": EVALUATE,
    "attack": {*ATTACK, "shown_to"},
    "analyze": {*EVALUATE, "analysis"},
    "adv-train": ADV_TRAIN,
    "adv-evaluate": ADV_EVALUATE,
    "reproduce": {*META_TRAIN, *EVALUATE, "analysis", "points"},
}
OF_ATTACKS = {"tune": ATTACK, "reproduce": {*ATTACK, "shown_to", "points"}}
"""What is read where attacks are named, by `attack=` or in `attacks`, and methods are not looked
at."""
KNOWN = EVERYWHERE.union(*OF_METHODS.values(), *OF_ATTACKS.values())
OPEN = {
    *("methods", "attacks", "attackers", "defenses", "surrogates", "shown_to"),
    *("trainer", "training", "learned", "tuned", "points"),
}
"""Settings that hold others of any name, which their readers check."""


@dataclass(frozen=True)
class Override:
    """One argument of a command line: [+|++|~]NAME[@PACKAGE][=VALUE]."""

    text: str
    sign: str
    name: str
    package: str | None
    value: str | None

    @classmethod
    def of(cls, text: str) -> Override:
        """The parts of an argument."""
        found = SHAPE.fullmatch(text)
        if found is None:
            raise InvalidInput("argument", text, "GROUP=OPTION or SETTING=VALUE")
        return cls(text, found["sign"] or "", found["name"], found["package"], found["value"])

    def is_group(self, conf: Iterable[Path]) -> bool:
        """Whether it chooses an option, of a folder in one of these."""
        return self.package is not None or any((root / self.name).is_dir() for root in conf)

    @property
    def path(self) -> str:
        """What it changes: a key of the configuration."""
        return self.package or self.name

    @property
    def typed(self) -> str:
        """The key as it was typed."""
        return self.name if self.package is None else f"{self.name}@{self.package}"

    @property
    def option(self) -> str:
        """The choice of the first of the options that it names."""
        return f"{self.sign}{self.typed}={(self.value or '').partition(',')[0]}"

    @property
    def section(self) -> str:
        """The part of the configuration in which that is."""
        return re.split(r"[./]", self.path)[0]


def read_by(command: str, cfg: DictConfig) -> set[str]:
    """The parts of the configuration that a command reads."""
    if "defenses" in cfg:
        return EVERYWHERE | (ADV_TRAIN if command == "adv-train" else ADV_EVALUATE)
    attacks = cfg.get("attack") is not None or bool(cfg.get("attacks"))
    table = OF_ATTACKS if attacks and command in OF_ATTACKS else OF_METHODS
    return EVERYWHERE | table[command]


def check_overrides(
    command: str, cfg: DictConfig, given: Sequence[str], conf: Collection[Path]
) -> None:
    """Refuse groups that the command does not read, and keys that nobody does: those that `given`
    adds, and those at the top of the configuration, wherever they come from. Settings of a part
    that other commands read are named in a warning.
    """
    reads = read_by(command, cfg)
    overrides = [Override.of(text) for text in given]
    quoted = _quoted(cfg)
    needed = {text.split(".")[0] for text in quoted}  # of relative ones nothing
    for one in overrides:
        if one.section in KNOWN - reads - needed:
            if one.is_group(conf):
                raise InvalidInput(one.typed, one.value, _not_read(command, one, reads))
            log.warning("%s does not read %s", command, one.text)
    for key in map(str, cfg):
        if key not in KNOWN | needed:
            value = next((one.value for one in overrides if one.path == key), cfg[key])
            raise InvalidInput(key, value, unknown(key, KNOWN))
    for one in overrides:
        if one.sign in ("+", "++") and not one.is_group(conf) and one.section != "hydra":
            _check_added(cfg, one, overrides, quoted)


def unknown(key: str, known: Iterable[str]) -> str:
    """What to say of a key that is not there."""
    found = " or ".join(f"{name}=?" for name in likely(key, known))
    return f"no such group or setting; {f'did you mean {found}' if found else '--help lists all'}"


def likely(key: str, known: Iterable[str]) -> list[str]:
    """The known keys that may have been meant: those beside it that are spelled alike; a group that
    stands elsewhere, or a setting that is called the same there.
    """
    names = list(known)
    parent, _, last = key.rpartition(".")
    beside = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == parent}
    if close := nearest(last, beside):
        return [beside[name] for name in close]
    moved = [name for name in names if name.startswith(f"{key}@")]
    same = moved or [name for name in names if name.rpartition(".")[2] == last]
    return (nearest(key, same) or sorted(same, key=len))[:1] or nearest(key, names)[:1]


def keys_in(node: Any, prefix: str = "") -> Iterator[str]:
    """All dotted keys of a configuration."""
    for name in node if isinstance(node, DictConfig) else ():
        yield f"{prefix}{name!s}"
        child = node._get_node(name)
        if not (isinstance(child, DictConfig) and (child._is_none() or child._is_interpolation())):
            yield from keys_in(child, f"{prefix}{name!s}.")


def _check_added(
    cfg: DictConfig, one: Override, overrides: Sequence[Override], quoted: Collection[str]
) -> None:
    """Refuse a key that was added where nothing takes it. A constructor's settings are checked with
    the constructor.
    """
    place, _, name = one.path.rpartition(".")
    parent = OmegaConf.select(cfg, place) if place else cfg
    is_open = place.rpartition(".")[2] in OPEN or one.path in KNOWN
    relative = {text.rpartition(".")[2] for text in quoted if text.startswith(".")}
    if is_open or one.path in quoted or name in relative:
        return
    if not isinstance(parent, DictConfig) or _inside_target(cfg, place):
        return
    added = {other.path for other in overrides if other.sign in ("+", "++")}
    known = {key for key in keys_in(cfg) if key not in added}
    raise InvalidInput(one.typed, one.value, unknown(one.path, known))


def _inside_target(cfg: DictConfig, place: str) -> bool:
    parts = place.split(".")
    above = (OmegaConf.select(cfg, ".".join(parts[:i])) for i in range(1, len(parts) + 1))
    return any(isinstance(node, DictConfig) and "_target_" in node for node in above)


def _quoted(cfg: DictConfig) -> set[str]:
    """What interpolations name: absolute keys, and relative ones that begin with a dot."""
    text = OmegaConf.to_yaml(cfg, resolve=False)
    return set(re.findall(r"\$\{(?:oc\.select:)?([\w.]+)", text))


def _not_read(command: str, one: Override, reads: set[str]) -> str:
    words = ", ".join(sorted(reads - EVERYWHERE))
    return f"{command} does not read {one.section}, but {words}"

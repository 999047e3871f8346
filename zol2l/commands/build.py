"""From configuration to objects: the only place that makes what a `_target_` names."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, ListConfig, Node, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from zol2l.commands.kinds import parameters, wrong
from zol2l.commands.options import meaning
from zol2l.errors import InvalidInput, nearest, require
from zol2l.storage.code import with_code
from zol2l.storage.names import require_folder

PACKAGE = Path(__file__).parent.parent
PACKAGED = PACKAGE / "conf"
CONF = PACKAGED if PACKAGED.is_dir() else PACKAGE.parent / "conf"
"""The configuration folder: inside the package in a wheel, beside it in a checkout."""
TARGET = "_target_"
logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)  # errors are raised, and told once
OmegaConf.register_new_resolver("folder", require_folder, replace=True)  # in conf/paths


def build(config: DictConfig, **arguments: Any) -> Any:
    """Make what `config` describes, with `arguments` as they are. Configs in it with a `_target_`
    are made first, others become plain containers. Constructors name a setting as they call it; in
    the `InvalidInput` that leaves here it has the key that it has on the command line.
    """
    for name in arguments.keys() & set(map(str, config.keys())):
        taken = InvalidInput(name, config[name], "no setting of its own: zol2l passes this one")
        raise with_whole_key(taken, config)
    check(config)
    return _made(config, arguments)


def _made(config: DictConfig, arguments: Mapping[str, Any]) -> Any:
    settings = settings_of(config)
    where, target = f"{key_of(config)}.{TARGET}".lstrip("."), config.get(TARGET)
    try:
        make = instantiate({TARGET: target}, _partial_=True)  # Hydra refuses what is dangerous
    except InstantiationException as error:
        raise InvalidInput(where, target, f"cannot be built: {root_cause(error)}") from error
    try:
        inspect.signature(make).bind(**settings, **arguments)
    except TypeError as error:
        raise InvalidInput(where, target, f"needs other settings: {error}") from error
    try:
        return make(**settings, **arguments)
    except InvalidInput as error:
        raise with_whole_key(error, config) from None


def settings_of(config: DictConfig) -> dict[str, Any]:
    """The settings of one config, those with a `_target_` made."""
    return {name: _value(config[name]) for name in map(str, config) if name != TARGET}


def _value(node: Any) -> Any:
    if isinstance(node, DictConfig) and TARGET in node:
        return _made(node, {})
    if isinstance(node, DictConfig):
        return {name: _value(node[name]) for name in node}
    return [_value(item) for item in node] if isinstance(node, ListConfig) else node


def check(config: DictConfig) -> None:
    """Compare the settings of `config`, and of the configs in it, with what their targets take: one
    that is of no use, or of the wrong kind, is named with its whole key.
    """
    if TARGET in config:
        given = {name: config[name] for name in map(str, config) if name != TARGET}
        try:
            check_arguments(imported(config[TARGET]), given)
        except InvalidInput as error:
            raise with_whole_key(error, config) from None
    for value in config.values():
        if isinstance(value, DictConfig):
            check(value)


def check_arguments(target: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """The same for the arguments of one call, which are named as it calls them."""
    known, more = parameters(target)
    for name, value in values.items():
        if name not in known:
            close = " or ".join(nearest(name, known))
            told = f"did you mean {close}?" if close else f"there are {', '.join(known)}"
            require(more, name, value, f"no such setting; {told}")
            continue
        if isinstance(value, DictConfig) and TARGET in value:
            continue
        plain_value = OmegaConf.to_object(value) if OmegaConf.is_config(value) else value
        if allowed := wrong(plain_value, known[name]):
            raise InvalidInput(name, value, f"must be {allowed}")


def key_of(config: DictConfig) -> str:
    """The key of `config` on the command line; of the whole, nothing."""
    return str(config._get_full_key(None) or "")


def key_as_typed(config: DictConfig, name: str) -> str:
    """The key of the setting `name` of `config`. Where it is taken from another one and the command
    line sets that one, the key of that one.
    """
    node = config._get_node(name) if name in config else None
    if isinstance(node, Node) and node._is_interpolation():
        source = node._dereference_node()._get_full_key(None)
        names = re.findall(r"[\w.]+", str(node._value()))
        for key in typed_keys():
            if key in (source, *names):
                return key
    return f"{key_of(config)}.{name}".lstrip(".")


def typed_keys() -> list[str]:
    """The keys that the command line sets."""
    given = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    return [text.partition("=")[0].lstrip("+~") for text in given]


def with_whole_key(error: InvalidInput, config: DictConfig) -> InvalidInput:
    """The error as it is, or with the key that its setting has on the command line, if it is one of
    `config`: a name, several ({train,test}), or what stands deeper (begin.c).
    """
    names = re.findall(r"\w+", error.field)
    if not names or names[0] not in config:
        return error
    rest = error.field.removeprefix(names[0])
    whole = f"{key_of(config)}.{error.field}".lstrip(".")
    return InvalidInput(
        whole if rest else key_as_typed(config, names[0]), error.value, error.allowed
    )


def named_in(error: InvalidInput, cfg: DictConfig, sections: Iterable[str]) -> InvalidInput:
    """The error as it is, or where it comes from a run and not from a constructor, with the key of
    the one setting in these sections of `cfg` that has the name and the value, or the name alone.
    """
    if error.field in cfg or OmegaConf.select(cfg, error.field) is not None:
        return error
    known = [section for section in sections if section in cfg]
    name = re.split(r"\W", error.field.lstrip("{"))[0]
    nodes = [node for section in known for node in _configs(cfg._get_node(section))]
    places = [node for node in nodes if name in node]
    same = [node for node in places if node.get(name) == error.value] or places
    keys = {with_whole_key(error, node).field for node in same}
    return InvalidInput(keys.pop(), error.value, error.allowed) if len(keys) == 1 else error


def _configs(node: Any) -> Iterator[DictConfig]:
    """A configuration and those in it, without those that only point elsewhere."""
    if isinstance(node, DictConfig) and not (node._is_none() or node._is_interpolation()):
        yield node
        for name in node:
            yield from _configs(node._get_node(name))


def imported(path: str) -> Any:
    """The object at a dotted path. The packages that zol2l may not import are reached this way."""
    allowed = "the dotted path of a class or a function"
    require(isinstance(path, str), TARGET, path, allowed)
    try:
        found = get_object(path)
    except (ImportError, ValueError) as error:
        raise InvalidInput(TARGET, path, f"cannot be imported: {error}") from error
    require(callable(found), TARGET, path, allowed)
    return found


def root_cause(error: BaseException) -> BaseException:
    """The first error of a chain."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def no_default(key: str) -> InvalidInput:
    """The error for a setting that is not given."""
    told = meaning(key, CONF)
    return InvalidInput(key, "???", f"has no default; give it a value{told and f', {told}'}")


def plain(config: DictConfig) -> dict[str, Any]:
    """A resolved copy as plain dictionaries and lists."""
    try:
        container = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise no_default(str(error.full_key or error.key)) from error
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def identity_of(config: DictConfig) -> dict[str, Any]:
    """`plain`, with each `_target_` told by its class' name and code: what stages compare, so that
    they notice an edit, of zol2l's code or of the user's, and no move.
    """
    known: dict[str, Any] = with_code(plain(config))
    return known

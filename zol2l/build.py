"""From configuration to objects: the only place that instantiates `_target_`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from zol2l.errors import InvalidInput, require
from zol2l.own_code import with_code

PACKAGED = Path(__file__).parent / "conf"
CONF = PACKAGED if PACKAGED.is_dir() else Path(__file__).parent.parent / "conf"
"""The configuration folder: inside the package in a wheel, beside it in a checkout."""

KINDS = {int: "a whole number", float: "a finite number", str: "text", bool: "true or false"}


def build(config: DictConfig, **arguments: Any) -> Any:
    """Instantiate `config`, passing `arguments` as they are. Configs inside it become plain
    containers, never config objects; bad settings surface as `InvalidInput`.
    """
    check_types(config)
    for name in arguments.keys() & set(map(str, config.keys())):
        taken = InvalidInput(name, config[name], "no setting of its own: zol2l passes this one")
        raise with_whole_key(taken, config)
    target = config.get("_target_")
    try:
        make = instantiate(config, _convert_="all", _partial_=True)
        return make(**arguments)
    except InvalidInput as error:
        raise with_whole_key(error, config) from None
    except InstantiationException as error:
        cause = root_cause(error)
        if isinstance(cause, InvalidInput):
            raise with_whole_key(cause, config) from None
        raise InvalidInput("_target_", target, f"cannot be built: {cause}") from error
    except TypeError as error:
        if "unexpected keyword" not in str(error) and "required" not in str(error):
            raise
        raise InvalidInput("_target_", target, f"does not take these settings: {error}") from error


def key_of(config: DictConfig) -> str:
    """The key of `config` on the command line; of the whole, nothing."""
    return str(config._get_full_key(None) or "")


def with_whole_key(error: InvalidInput, config: DictConfig) -> InvalidInput:
    """The error as it is, or with the key that its setting has on the command line."""
    name, prefix = error.field.rpartition(".")[2], key_of(config)
    field = f"{prefix}.{name}" if prefix and name in config else error.field
    return InvalidInput(field, error.value, error.allowed)


def check_types(config: DictConfig) -> None:
    """Compare the values of `config`, and of the configs in it, with what its target is annotated
    to take: a wrong one is named with its full key.
    """
    if isinstance(target := config.get("_target_"), str):
        values = {str(k): v for k, v in config.items() if not isinstance(v, DictConfig)}
        check_arguments(imported(target), values, key_of(config))
    for value in config.values():
        if isinstance(value, DictConfig):
            check_types(value)


def check_arguments(target: Callable[..., Any], values: Mapping[str, Any], prefix: str) -> None:
    """The same for the arguments of one call; `prefix` is where they stand in the configuration."""
    function: Any = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(target if is_dataclass(target) else function)
    for name in values.keys() & hints.keys():
        key = f"{prefix}.{name}" if prefix else name
        _check_value(key, values[name], hints[name])


def _check_value(key: str, value: Any, hint: Any) -> None:
    if get_origin(hint) is Sequence and get_args(hint) in ((float,), (int,)):
        listed = isinstance(value, Sequence | ListConfig) and not isinstance(value, str)
        require(listed, key, value, "a list of numbers")
        for item in value:
            _check_value(key, item, *get_args(hint))
        return
    if get_origin(hint) not in (None, Union, UnionType):
        return
    options = get_args(hint) or (hint,)
    if not all(option in KINDS or option is type(None) for option in options):
        return
    allowed = " or ".join(KINDS.get(option, "null") for option in options)
    require(any(_is_a(value, option) for option in options), key, value, f"must be {allowed}")


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def imported(path: str) -> Any:
    """The object at a dotted path. The packages that zol2l may not import are reached this way."""
    try:
        return get_object(path)
    except (ImportError, ValueError) as error:
        raise InvalidInput("_target_", path, f"cannot be imported: {error}") from error


def root_cause(error: BaseException) -> BaseException:
    """The first error of a chain."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def plain(config: DictConfig) -> dict[str, Any]:
    """A resolved copy as plain dictionaries and lists."""
    try:
        container = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = error.full_key or error.key
        raise InvalidInput(str(key), "???", "has no default; give it a value") from error
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def identity_of(config: DictConfig) -> dict[str, Any]:
    """`plain`, with each `_target_` told by its class' name and code: what stages compare, so that
    they notice an edit, of zol2l's code or of the user's, and no move.
    """
    known: dict[str, Any] = with_code(plain(config))
    return known

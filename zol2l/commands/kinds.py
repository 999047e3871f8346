"""What a constructor takes, as its signature says: which names, and which kinds of plain values."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from zol2l.errors import LARGEST

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
LISTS, MAPPINGS = (Sequence, list), (Mapping, dict)
WORDS = {
    int: "a whole number",
    float: "a finite number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    list: "a list",
    dict: "settings, {NAME: VALUE}",
}


def parameters(target: Callable[..., Any]) -> tuple[dict[str, Any], bool]:
    """Name -> annotation of all that a call takes, what it hands on to a base class included; and
    whether it takes other names too.
    """
    if not inspect.isclass(target) or is_dataclass(target):
        return _own(target, get_type_hints(target))
    found: dict[str, Any] = {}
    for base in target.__mro__:
        if "__init__" in vars(base) and base is not object:
            constructor = vars(base)["__init__"]
            hints, more = _own(constructor, get_type_hints(constructor))
            found = {**hints, **found}
            if not more:
                return found, False
    return found, True


def _own(function: Callable[..., Any], hints: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    known = inspect.signature(function).parameters.values()
    named = {p.name: hints.get(p.name, Any) for p in known if p.kind in NAMED and p.name != "self"}
    return named, any(p.kind is p.VAR_KEYWORD for p in known)


def wrong(value: Any, hint: Any) -> str | None:
    """What would be allowed in the place of a plain value; None where the value is of the kind."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"a number of at most 64 bits, {-LARGEST} to {LARGEST}"
    if _fits(value, hint):
        return None
    return " or ".join(dict.fromkeys(_words(hint)))


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, option) for option in inner)
    if origin is Literal:
        return value in inner and not isinstance(value, bool)
    if origin in LISTS:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if origin in MAPPINGS:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    return not inspect.isclass(hint) or hint in (Any, object) or _is_a(value, hint)


def _is_a(value: Any, kind: type) -> bool:
    if kind in (int, float) and isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    if kind in WORDS:
        return isinstance(value, kind)
    if kind is Path:
        return isinstance(value, str | Path)
    return kind in type(value).__mro__ or not isinstance(value, tuple(WORDS))


def _words(hint: Any) -> Iterator[str]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        for option in inner:
            yield from _words(option)
    elif origin is Literal:
        yield f"one of {', '.join(map(str, inner))}"
    elif origin in LISTS:
        yield WORDS[list] + _each(inner[0])
    elif origin in MAPPINGS:
        yield WORDS[dict] + _each(inner[1])
    else:
        yield WORDS.get(hint, f"a {getattr(hint, '__name__', hint)}, by its _target_ and settings")


def _each(hint: Any) -> str:
    return "" if hint is Any else f", each {' or '.join(_words(hint))}"

"""One kind of error for bad input: it names the field, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InvalidInput(ValueError):
    """Input that zol2l refuses; the command line prints it in one line and exits with status 2."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field}={value!s}: {allowed}")
        self.field, self.value, self.allowed = field, value, allowed


class Diverged(InvalidInput):
    """Settings under which a training or a search comes to nothing finite: none of it is kept."""


def require(condition: bool, field: str, value: object, allowed: str) -> None:
    """Raise `InvalidInput` unless `condition` holds."""
    if not condition:
        raise InvalidInput(field, value, allowed)


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that `name` may have been meant to be, or those that begin with what it may
    have been; none where nothing is near.
    """
    names = list(known)
    if found := get_close_matches(name, names, n=1, cutoff=0.7):
        return found
    begun = get_close_matches(name, {known[: len(name)] for known in names}, n=1, cutoff=0.7)
    return [known for known in names if known[: len(name)] in begun]


LARGEST = 2**63 - 1
"""Whole numbers have 64 bits, with a sign."""


def require_whole(field: str, value: object, least: int, allowed: str) -> None:
    """Refuse what is no whole number of at most 64 bits, or below `least`."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    require(whole and least <= value <= LARGEST, field, value, allowed)  # type: ignore[operator]


def require_number(field: str, value: object, allowed: str) -> None:
    """Refuse what is no finite number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    require(number and abs(value) < float("inf"), field, value, allowed)  # type: ignore[arg-type]

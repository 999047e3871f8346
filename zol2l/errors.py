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

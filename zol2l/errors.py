"""One kind of error for bad input: it names the field, the value and what is allowed."""

from __future__ import annotations


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

"""Every method passes every contract."""

from __future__ import annotations

import pytest

from tests.contracts import CHECKS, Method
from tests.methods import METHODS


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str, method: Method) -> None:
    CHECKS[check](method)


def test_all_methods_and_checks_are_found() -> None:
    assert len({method.name for method in METHODS}) == len(METHODS) >= 12
    assert len(CHECKS) >= 10

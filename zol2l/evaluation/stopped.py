"""Who was stopped because the function answered NaN or inf."""

from __future__ import annotations

import logging
from collections.abc import Sequence

log = logging.getLogger(__name__)

LISTED = 10


def warn_of_stopped(name: str, stopped: Sequence[str], called: str) -> None:
    """Say of the method `name` which runs were `stopped`, and what their names are `called`; of
    none, nothing.
    """
    if stopped:
        more = " ..." if len(stopped) > LISTED else ""
        log.warning(
            "%s: %d stopped because the function returned NaN or inf (%s %s%s)",
            name, len(stopped), called, ", ".join(stopped[:LISTED]), more,
        )  # fmt: skip

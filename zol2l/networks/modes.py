"""Networks in evaluation mode, for as long as they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(network: object) -> Iterator[None]:
    """Put a network into evaluation mode, and every part of it back as it was; any other callable
    has no modes.
    """
    parts = list(network.modules()) if isinstance(network, nn.Module) else []
    modes = {part: part.training for part in parts}
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training

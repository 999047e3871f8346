"""How networks are asked: in evaluation mode, where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


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


def device_of(network: object, images: Tensor) -> torch.device:
    """Where a network's weights are; where the images are, if it has none or is no network."""
    weights = network.parameters() if isinstance(network, nn.Module) else iter(())
    return next((weight.device for weight in weights), images.device)

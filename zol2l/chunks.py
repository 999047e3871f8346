"""How much of a batch goes into one call, as much as stays in the processor's cache; and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.answers import scores_of

IN_CACHE = 165_000
"""Numbers shown to a function in one call: 210 MNIST images, 53 of CIFAR-10. Measured on the C&W
networks by benchmarks/chunk_size.py: the flat part of the curve for MNIST ends there, and 53 CIFAR
images a call took 0.7 of the time per image that 210 took."""
FEWEST, MOST = 4, 210
"""Points a call: the most because a function may look at more than the point, as at images that a
small perturbation is scaled up for."""
ON_ACCELERATOR = 10
"""So many times more elsewhere than on a CPU; not measured."""


def points_per_call(dimension: int, device: torch.device) -> int:
    """Points of so many coordinates to a call. Results depend on it by rounding alone."""
    on_cpu = min(MOST, max(FEWEST, IN_CACHE // dimension))
    return on_cpu if device.type == "cpu" else ON_ACCELERATOR * on_cpu


def logits_of(network: Callable[[Tensor], Any], images: Tensor) -> Tensor:
    """The answers (m, classes) of a network to images (m, C, H, W), a fitting number at a time, on
    its own device.
    """
    device = device_of(network, images)
    size = points_per_call(images[0].numel(), device)
    shown = (part.to(device, copy=True) for part in images.split(size))
    return torch.cat([scores_of(network, part) for part in shown])


@torch.no_grad()
def predictions(network: Callable[[Tensor], Any], images: Tensor) -> Tensor:
    """The classes (m,) that a network takes images (m, C, H, W) for, -1 where it answers NaN; where
    the images are.
    """
    scores = logits_of(network, images).log_softmax(dim=1).to(images.device)
    return torch.where(scores.isnan().any(dim=1), -1, scores.argmax(dim=1))


def device_of(network: object, images: Tensor) -> torch.device:
    """Where a network's weights are; where the images are, if it has none or is no network."""
    weights = network.parameters() if isinstance(network, nn.Module) else iter(())
    return next((weight.device for weight in weights), images.device)

"""Classifiers to attack: logits (m, classes) from images (m, C, H, W) in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def carlini_wagner(
    channels: int = 1,
    size: int = 28,
    widths: Sequence[int] = (32, 64),
    hidden: int = 200,
    classes: int = 10,
    dropout: float = 0.5,
) -> nn.Sequential:
    """The C&W network: two blocks of [conv3x3, ReLU] x 2 and maxpool, then three linear layers.

    Valid padding. 312,202 parameters with the MNIST defaults (Carlini & Wagner 2017, table 1).
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
        channels, size = width, (size - 4) // 2
    layers += [nn.Flatten(), nn.Linear(channels * size * size, hidden), nn.ReLU()]
    layers += [nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, classes))


def small_convnet(
    channels: int = 1,
    size: int = 8,
    width: int = 16,
    hidden: int = 64,
    classes: int = 10,
    dropout: float = 0.25,
) -> nn.Sequential:
    """Two 3x3 convolutions, one maxpool, two linear layers: for images as small as 8 x 8."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers += [nn.Linear(2 * width * (size // 2) ** 2, hidden), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(hidden, classes))


def parameter_count(network: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(weight.numel() for weight in network.parameters())

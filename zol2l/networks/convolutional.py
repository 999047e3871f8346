"""Classifiers to attack: logits (m, classes) from images (m, C, H, W) in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zol2l.errors import InvalidInput, require
from zol2l.networks.modes import evaluating


class Normalize(nn.Module):
    """(x - mean) / std for each channel of images (m, C, H, W), so that outside the network pixels
    lie in [0, 1]. It learns nothing and is no part of a checkpoint.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        matched = len(mean) == len(std) > 0 and min(std) > 0
        require(matched, "std", std, f"a positive number each of {mean}")
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        channels, wanted = images.shape[1], len(self.mean)
        require(channels == wanted, "images", tuple(images.shape), f"{wanted} channels are needed")
        return (images - self.mean) / self.std


def carlini_wagner(
    channels: int = 1,
    size: int = 28,
    widths: Sequence[int] = (32, 64),
    hidden: int = 200,
    classes: int = 10,
    dropout: float = 0.5,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> nn.Sequential:
    """The C&W network: two blocks of [conv3x3, ReLU] x 2 and maxpool, then three linear layers.

    Valid padding (Carlini & Wagner 2017, table 1). 312,202 parameters with the MNIST defaults,
    1,147,978 with CIFAR-10's 3 channels of 32 pixels, widths 64 and 128, and 256 hidden units.
    `mean` and `std` of the channels normalize the images, none: the network takes them as they are.
    """
    layers: list[nn.Module] = [Normalize(mean, std)] if mean or std else []
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


@torch.no_grad()
def class_count(network: nn.Module, images: Tensor) -> int:
    """How many classes the network tells apart in `images` (m, C, H, W); `InvalidInput` where they
    are not of the shape it takes.
    """
    try:
        with evaluating(network):
            return int(network(images[:1]).shape[1])
    except RuntimeError as error:
        shape, told = tuple(images.shape[1:]), str(error).splitlines()[0]
        allowed = f"images of this shape do not fit the victim's network ({told})"
        raise InvalidInput("data", shape, allowed) from error


def parameter_count(network: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(weight.numel() for weight in network.parameters())

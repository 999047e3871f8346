"""VGG-16 and ResNet-18 for small images: torchvision's, with what fits 32 x 32 pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torchvision.models import resnet18 as torchvision_resnet18
from torchvision.models import vgg16, vgg16_bn

from zol2l.networks.convolutional import Normalize

LEAST = 32
"""Pixels a side that five halvings need; smaller images are padded with zeros."""


def small_vgg16(
    channels: int = 3,
    size: int = 32,
    classes: int = 10,
    batch_norm: bool = True,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> nn.Sequential:
    """VGG-16's 13 convolutions, then the mean over pixels and one linear layer, as usual for
    CIFAR-10; 14.7 million parameters. `mean` and `std` of the channels normalize the images.
    """
    features = (vgg16_bn if batch_norm else vgg16)().features
    features[0] = nn.Conv2d(channels, 64, 3, padding=1)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
    return _prepared(size, mean, std, features, head)


def small_resnet18(
    channels: int = 3,
    size: int = 32,
    classes: int = 10,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> nn.Sequential:
    """ResNet-18 with a 3 x 3 stem of stride 1 and no maxpool, as usual for CIFAR-10; 11.2 million
    parameters. `mean` and `std` of the channels normalize the images.
    """
    network = torchvision_resnet18(num_classes=classes)
    network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return _prepared(size, mean, std, network)


def _prepared(
    size: int, mean: Sequence[float], std: Sequence[float], *parts: nn.Module
) -> nn.Sequential:
    first: list[nn.Module] = [Normalize(mean, std)] if mean or std else []
    missing = max(0, LEAST - size)
    if missing:
        first.append(nn.ZeroPad2d((missing // 2, missing - missing // 2) * 2))
    return nn.Sequential(*first, *parts)

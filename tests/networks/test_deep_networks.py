"""VGG-16 and ResNet-18 take small images and have the sizes that they are known for."""

from __future__ import annotations

import pytest
import torch

from zol2l.networks.convolutional import parameter_count
from zol2l.networks.deep_networks import small_resnet18, small_vgg16


def test_their_sizes_are_the_known_ones() -> None:
    assert parameter_count(small_vgg16()) == 14_728_266
    assert parameter_count(small_resnet18()) == 11_173_962


@pytest.mark.parametrize("make", [small_vgg16, small_resnet18])
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 32)])
def test_they_take_images_of_any_size(make: object, channels: int, size: int) -> None:
    network = make(channels=channels, size=size, classes=7).eval()
    with torch.no_grad():
        assert network(torch.rand(2, channels, size, size)).shape == (2, 7)

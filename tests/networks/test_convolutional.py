"""Victims' networks: the published sizes, normalization inside, images that do not fit refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.networks.convolutional import (
    Normalize,
    carlini_wagner,
    class_count,
    parameter_count,
    small_convnet,
)

MEAN, STD = [0.4, 0.5, 0.6], [0.1, 0.2, 0.3]
CIFAR10 = {"channels": 3, "size": 32, "widths": [64, 128], "hidden": 256}


def test_the_published_numbers_of_parameters() -> None:
    assert parameter_count(carlini_wagner()) == 312_202
    assert parameter_count(carlini_wagner(**CIFAR10)) == 1_147_978
    assert parameter_count(carlini_wagner(**CIFAR10, mean=MEAN, std=STD)) == 1_147_978


def test_without_normalization_checkpoints_are_as_they_were() -> None:
    names = carlini_wagner().state_dict().keys()
    assert next(iter(names)) == "0.weight"


def test_normalization_is_inside_and_learns_nothing() -> None:
    torch.manual_seed(1)
    plain = carlini_wagner(**CIFAR10).eval()
    torch.manual_seed(1)
    inside = carlini_wagner(**CIFAR10, mean=MEAN, std=STD).eval()
    x = torch.rand(2, 3, 32, 32, generator=seeded(0))
    by_hand = torch.stack([(x[:, i] - MEAN[i]) / STD[i] for i in range(3)], dim=1)
    assert torch.allclose(inside(x), plain(by_hand), atol=1e-6)
    assert len(inside.state_dict()) == len(plain.state_dict())


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.1, 0.2]), ([0.5], [0.0]), ([], [0.1])])
def test_a_normalization_that_makes_no_sense_is_refused(mean: list, std: list) -> None:
    with pytest.raises(InvalidInput, match=r"std"):
        carlini_wagner(mean=mean, std=std)


def test_images_of_other_channels_are_not_broadcast() -> None:
    with pytest.raises(InvalidInput, match="3 channels"):
        Normalize(MEAN, STD)(torch.rand(2, 1, 4, 4))


@pytest.mark.parametrize("training", [True, False])
def test_class_count_changes_nothing(training: bool) -> None:
    network = small_convnet(classes=7).train(training)
    state = torch.random.get_rng_state()
    assert class_count(network, torch.rand(3, 1, 8, 8, generator=seeded(0))) == 7
    assert network.training is training
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (1, 1, 12, 12)])
def test_images_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    network: nn.Module = small_convnet()
    with pytest.raises(InvalidInput, match=r"data=\(\d, \d+, \d+\): images of this shape"):
        class_count(network, torch.rand(shape))

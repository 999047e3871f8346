"""Our PGD and Square do what torchattacks' do; benchmarks/outside.py compares them on MNIST."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from benchmarks.outside import compare_pgd, compare_square
from zol2l.data.datasets import ImageData, digits
from zol2l.networks.convolutional import small_convnet


def enlarged() -> ImageData:
    """Digits of 24 x 24 pixels: torchattacks never puts a square at the last row or column, which
    on 8 x 8 pixels is much.
    """
    data = digits()
    return replace(
        data,
        train_images=interpolate(data.train_images, scale_factor=3),
        test_images=interpolate(data.test_images, scale_factor=3),
    )


@pytest.fixture(scope="module")
def victim() -> nn.Module:
    torch.manual_seed(0)
    data, network = enlarged(), small_convnet(size=24, width=8, dropout=0.0)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        rows = torch.randint(len(data.train_labels), (128,))
        loss = nn.functional.cross_entropy(
            network(data.train_images[rows]), data.train_labels[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def examples(victim: nn.Module) -> tuple[Tensor, Tensor]:
    data = enlarged()
    correct = (victim(data.test_images).argmax(dim=1) == data.test_labels).nonzero()[:200, 0]
    return data.test_images[correct], data.test_labels[correct]


@pytest.mark.parametrize("eps", [0.05, 0.1])
def test_pgd(victim: nn.Module, examples: tuple[Tensor, Tensor], eps: float) -> None:
    ours, theirs = compare_pgd(victim, *examples, eps, eps / 4, 10)
    assert 0.05 < theirs < 0.95, "a comparison at the ends shows nothing"
    assert ours <= theirs + 0.005, "ours also stops where an iterate on the way succeeds"
    assert abs(ours - theirs) <= 0.02


def test_square(victim: nn.Module, examples: tuple[Tensor, Tensor]) -> None:
    images, labels = (part[:60] for part in examples)
    found = compare_square(victim, images, labels, eps=0.15, queries=200, seeds=4)
    assert found["robust accuracy"][0] == pytest.approx(found["robust accuracy"][1], abs=0.1)
    assert found["queries"][0] == pytest.approx(found["queries"][1], rel=0.3)

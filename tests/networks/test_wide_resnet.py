"""WideResNet: the published size, shapes, shortcuts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zol2l.errors import InvalidInput
from zol2l.networks.convolutional import parameter_count
from zol2l.networks.wide_resnet import WideBlock, wide_resnet


def test_wrn_34_10_has_the_published_size() -> None:
    with torch.device("meta"):
        assert parameter_count(wide_resnet()) == 46_160_474


@pytest.mark.parametrize(("depth", "blocks"), [(10, 1), (16, 2)])
def test_depth_counts_blocks_of_three_stages(depth: int, blocks: int) -> None:
    network = wide_resnet(channels=1, classes=5, depth=depth, widen=1, mean=[0.5], std=[0.5])
    assert sum(isinstance(part, WideBlock) for part in network) == 3 * blocks
    seen: list[tuple[int, ...]] = []
    for part in network:
        if isinstance(part, WideBlock):
            part.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape)))
    assert network.eval()(torch.rand(2, 1, 32, 32)).shape == (2, 5)
    assert seen[0][1:] == (16, 32, 32) and seen[-1][1:] == (64, 8, 8)


def test_a_block_adds_its_input_or_a_projection_of_it() -> None:
    same, other = WideBlock(4, 4, 1, 0.0).eval(), WideBlock(4, 8, 2, 0.0).eval()
    x = torch.rand(2, 4, 6, 6)
    for block in (same, other):
        nn.init.zeros_(block.second[-1].weight)
    assert torch.equal(same(x), x)
    assert other.shortcut is not None
    assert torch.equal(other(x), other.shortcut(other.first(x)))


@pytest.mark.parametrize("depth", [4, 12, 35])
def test_other_depths_are_refused(depth: int) -> None:
    with pytest.raises(InvalidInput, match=f"depth={depth}"):
        wide_resnet(depth=depth)

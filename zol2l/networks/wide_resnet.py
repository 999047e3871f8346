"""Wide residual networks for small images (Zagoruyko & Komodakis, BMVC 2016)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from zol2l.errors import require
from zol2l.networks.convolutional import Normalize

STEM = 16
"""Channels of the first convolution."""


class WideBlock(nn.Module):
    """Batch norm, ReLU, 3x3 convolution, twice; added to the input or, where the shape changes, to
    a 1x1 convolution of it after the first batch norm and ReLU.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.second = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.shortcut: nn.Module | None = None
        if inputs != outputs or stride != 1:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        seen = self.first(features)
        kept = features if self.shortcut is None else self.shortcut(seen)
        added: Tensor = self.second(seen) + kept
        return added


def wide_resnet(
    channels: int = 3,
    classes: int = 10,
    depth: int = 34,
    widen: int = 10,
    dropout: float = 0.0,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> nn.Sequential:
    """WRN-`depth`-`widen`: three stages of (depth - 4) / 6 blocks with 16, 32 and 64 times `widen`
    channels, the last two at half the size each. WRN-34-10 has 46,160,474 parameters.
    `mean` and `std` of the channels normalize the images, none: they are taken as they are.
    """
    blocks, left = divmod(depth - 4, 6)
    require(blocks >= 1 and left == 0, "depth", depth, "6 n + 4: 10, 16, 22, 28, 34, ...")
    layers: list[nn.Module] = [Normalize(mean, std)] if mean or std else []
    layers += [nn.Conv2d(channels, STEM, 3, padding=1, bias=False)]
    inputs = STEM
    for stage in range(3):
        outputs = STEM * 2**stage * widen
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(WideBlock(inputs, outputs, stride, dropout))
            inputs = outputs
    head = [nn.BatchNorm2d(inputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers, *head, nn.Linear(inputs, classes))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network

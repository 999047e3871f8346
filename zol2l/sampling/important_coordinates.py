"""ZOO's importance sampling: coordinates of pixels that have changed most (Chen et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from zol2l.errors import require
from zol2l.sampling.base import LastStep
from zol2l.sampling.coordinates import RandomCoordinates
from zol2l.types import Directions

EVERYWHERE = 1e-3
"""Chance of a pixel that has not changed, beside that of the one that has changed most."""


class ImportantCoordinates(RandomCoordinates):
    """Q distinct coordinates i, drawn with chances that grow with how far their pixel or one of its
    neighbours in the same channel is from where it began: with c the sum of all updates,

        w_i = max over j in 3 x 3 around i of |c_j| / max over k of |c_k| + 0.001,

    all alike before the first update. It costs no queries. The variables are a square picture of
    `channels` channels. State: c (B, D).
    """

    def __init__(self, directions: int = 128, channels: int = 1) -> None:
        super().__init__(directions)
        require(channels >= 1, "channels", channels, "at least 1")
        self.channels = channels

    def init(self, theta: Tensor) -> Tensor:
        """No change."""
        return torch.zeros_like(theta)

    def forward(
        self, last: LastStep, state: Tensor, generator: torch.Generator
    ) -> tuple[Directions, Any]:
        change = state + last.delta
        side = math.isqrt(change.shape[-1] // self.channels)
        square = self.channels * side * side == change.shape[-1]
        allowed = f"channels of a square picture of {change.shape[-1]} numbers"
        require(square, "channels", self.channels, allowed)
        picture = change.abs().view(-1, self.channels, side, side)
        near = max_pool2d(picture, 3, stride=1, padding=1).flatten(1)
        most = near.amax(dim=1, keepdim=True)
        chances = torch.where(most > 0, near / most, 0) + EVERYWHERE
        return self.along(chances, generator), change

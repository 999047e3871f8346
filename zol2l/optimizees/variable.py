"""How an attack's variable stands for an image: added or in tanh space, full size or smaller."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import interpolate

TANH_MARGIN = 1 - 1e-6
"""atanh of 0 and 1 is infinite: images are pulled this far inside (0, 1) for the tanh space."""


@dataclass(frozen=True)
class Variable:
    """x = clip(x0 + theta, 0, 1), or with `tanh` x = (tanh(w0 + theta) + 1) / 2.

    theta is a picture of `shape` (C, h, w), scaled bilinearly to that of the `image` (C, H, W).
    """

    shape: tuple[int, ...]
    image: tuple[int, ...]
    tanh: bool = False

    @property
    def dimension(self) -> int:
        """D of the variable."""
        return prod(self.shape)

    def __call__(self, theta: Tensor, clean: Tensor) -> Tensor:
        """Images (B, n, C H W) of theta (B, n, D) and clean images that broadcast with them."""
        change = self.full_size(theta)
        if not self.tanh:
            return (clean + change).clamp(0, 1)
        w0 = torch.atanh((2 * clean - 1) * TANH_MARGIN)
        return (torch.tanh(w0 + change) + 1) / 2

    def full_size(self, theta: Tensor) -> Tensor:
        """Theta (B, n, D) as pictures of the images' size, (B, n, C H W)."""
        if self.shape == self.image:
            return theta
        return resized(theta, self.shape, self.image)


def resized(theta: Tensor, shape: tuple[int, ...], wanted: tuple[int, ...]) -> Tensor:
    """Pictures (B, n, C h w) of a `shape` (C, h, w), scaled bilinearly to a `wanted` one."""
    small = theta.unflatten(-1, shape).flatten(0, 1)
    large: Tensor = interpolate(small, size=wanted[1:], mode="bilinear")
    return large.reshape(*theta.shape[:2], prod(wanted))

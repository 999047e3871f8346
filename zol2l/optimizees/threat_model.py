"""Threat models: how far an adversarial image may be from the clean one."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

from zol2l.errors import require, require_number

HALVINGS = 60
"""Bisection steps of the l2 projection: beyond what float64 resolves."""


class ThreatModel(ABC):
    """All delta with ||delta||_p <= eps and x + delta in [0, 1]^D."""

    order: float
    """p"""
    largest = sys.float_info.max
    """The largest radius that means anything."""

    def __init__(self, eps: float) -> None:
        allowed = "a radius > 0 for pixels in [0, 1]; 8 of 255 grey levels are 0.0314"
        require_number("eps", eps, allowed)
        require(0 < eps <= self.largest, "eps", eps, allowed)
        self.eps = eps

    @abstractmethod
    def project(self, delta: Tensor, images: Tensor) -> Tensor:
        """The nearest allowed perturbation to delta (B, ..., D) of images that broadcast with it,
        in the Euclidean sense.
        """

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the radius."""
        return type(self)(min(factor * self.eps, self.largest))

    def size(self, delta: Tensor) -> Tensor:
        """||delta||_p over the last axis."""
        size: Tensor = torch.linalg.vector_norm(delta, ord=self.order, dim=-1)
        return size


class LInfBall(ThreatModel):
    """Each pixel changes by at most eps."""

    order = float("inf")
    largest = 1.0

    def project(self, delta: Tensor, images: Tensor) -> Tensor:
        return (images + delta.clamp(-self.eps, self.eps)).clamp(0, 1) - images


class L2Ball(ThreatModel):
    """The Euclidean length of the change is at most eps."""

    order = 2.0

    def project(self, delta: Tensor, images: Tensor) -> Tensor:
        """Clip(s delta) into the box, with the largest factor s in [0, 1] that fits the ball.

        The optimality conditions give a clipped multiple of delta; its length grows with s, so that
        bisection finds s. Lengths are float64's: in float32 those of large images are off by 1e-5.
        """

        def at(factor: Tensor) -> Tensor:
            return (images + factor[..., None] * delta).clamp(0, 1) - images

        def inside_at(factor: Tensor) -> Tensor:
            return self.size(at(factor).double()) <= self.eps

        low = torch.zeros_like(delta[..., 0])
        high = torch.ones_like(low)
        fits = inside_at(high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            inside = inside_at(middle)
            low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
        return at(torch.where(fits, torch.ones_like(low), low))

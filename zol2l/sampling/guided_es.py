"""Guided ES as a sampling rule (Maheswaranathan et al. 2018; ZO-L2L appendix B, equation 7)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.sampling.base import LastStep, Sampling
from zol2l.types import Directions

DEPENDENT = 1e-4
"""A surrogate gradient whose part outside the others' span is smaller than this fraction of it adds
no direction of its own (SGD's update is a multiple of its gradient estimate)."""


class GuidedES(Sampling):
    """u ~ N(0, alpha I + (1 - alpha) U U^T), rescaled to the norm of a standard Gaussian draw.

    The orthonormal columns of U (D, k), k <= 2, span the last gradient estimate and the last
    update. u = sqrt(alpha) z + sqrt(1 - alpha) U w with z ~ N(0, I_D), w ~ N(0, I_k), then
    u <- u ||z|| / ||u||. Before the first step the subspace is empty and u = z.
    """

    def __init__(self, directions: int = 20, alpha: float = 0.5) -> None:
        super().__init__(directions)
        require(0 < alpha <= 1, "alpha", alpha, "a trade-off in (0, 1]")
        self.alpha = alpha

    def forward(
        self, last: LastStep, state: Any, generator: torch.Generator
    ) -> tuple[Directions, None]:
        basis = guiding_basis(last)
        z = self.normal(last.gradient, generator)
        shape = (*z.shape[:2], basis.shape[-1])
        w = torch.randn(shape, generator=generator, dtype=z.dtype, device=z.device)
        u = self.mix(z, torch.einsum("bdk,bqk->bqd", basis, w))
        u = u * (_norm(z) / _norm(u))
        variance = self.alpha + (1 - self.alpha) * basis.square().sum(dim=-1)
        return Directions(u, variance.sqrt(), u.new_zeros(len(u))), None

    def mix(self, full: Tensor, inside: Tensor) -> Tensor:
        """Draws with the covariance of equation 7, from those of the full space and subspace."""
        return math.sqrt(self.alpha) * full + math.sqrt(1 - self.alpha) * inside


def guiding_basis(last: LastStep) -> Tensor:
    """Orthonormal columns (B, D, 2) that span the surrogates; zero where one adds no direction."""
    surrogates = torch.stack([last.gradient.detach(), last.delta.detach()], dim=-1)
    lengths = torch.linalg.vector_norm(surrogates, dim=1, keepdim=True)
    unit = surrogates / lengths.clamp(min=torch.finfo(lengths.dtype).tiny)
    unit = torch.where(lengths[..., :1] > 0, unit, unit.flip(-1))  # QR wants the zero column last
    if unit.shape[1] < unit.shape[2]:  # D = 1: the gradient spans everything
        unit = unit[..., :1]
    columns, triangle = torch.linalg.qr(unit)
    own = triangle.diagonal(dim1=-2, dim2=-1).abs() > DEPENDENT
    basis: Tensor = columns * own[:, None]
    return basis


def _norm(u: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(u, dim=-1, keepdim=True)
    return norm

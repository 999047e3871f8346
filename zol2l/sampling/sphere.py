"""Query directions on a sphere (Zhao et al., AAAI 2020, algorithm 1)."""

from __future__ import annotations

import math
from typing import Any

import torch

from zol2l.errors import require
from zol2l.sampling.base import LastStep, Sampling
from zol2l.types import Directions


class SphereSampling(Sampling):
    """u uniform on a sphere; its reach is 1/|u|, so that probes stand at distance mu.

    `radius` null is sqrt(D): E[u u^T] = I, and forward differences are the released code's
    estimate, D/(mu Q) sum_i [f(theta + mu v_i) - f(theta)] v_i with |v_i| = 1. `radius` 1 leaves
    out the D, as equation 16 is written.
    """

    def __init__(self, directions: int = 20, radius: float | None = None) -> None:
        super().__init__(directions)
        valid = radius is None or radius > 0
        require(valid, "radius", radius, "a positive number, or null for sqrt(D)")
        self.radius = radius

    def forward(
        self, last: LastStep, state: Any, generator: torch.Generator
    ) -> tuple[Directions, None]:
        z = self.normal(last.gradient, generator)
        radius = self.radius or math.sqrt(z.shape[-1])
        u = z * (radius / torch.linalg.vector_norm(z, dim=-1, keepdim=True))
        return Directions.standard(u, reach=1 / radius), None

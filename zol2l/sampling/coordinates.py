"""Random coordinates as query directions (ZO-SCD: Lian et al. 2016)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.sampling.base import LastStep, Sampling
from zol2l.types import Directions


class RandomCoordinates(Sampling):
    """u = sqrt(D) e_i for Q distinct coordinates i, drawn anew each step for each instance.

    E[u u^T] = I, so that learning rates mean what they mean for Gaussian directions. The reach is
    1 / sqrt(D): probes stand at theta + mu e_i, mu being the step along the coordinate. With
    central differences g_i = D/Q [f(theta + mu e_i) - f(theta - mu e_i)] / (2 mu) on the drawn
    coordinates and 0 elsewhere; with Q = D it is the whole gradient (equation 5). More than D
    directions are an error.
    """

    def forward(
        self, last: LastStep, state: Any, generator: torch.Generator
    ) -> tuple[Directions, None]:
        return self.along(torch.ones_like(last.gradient), generator), None

    def along(self, chances: Tensor, generator: torch.Generator) -> Directions:
        """Directions along distinct coordinates, drawn one after the other with `chances` w (B, D),
        positive numbers, of those that are left: the Q largest log(U_i) / w_i, U_i uniform in
        (0, 1) (Efraimidis & Spirakis 2006).
        """
        dimension = chances.shape[-1]
        allowed = f"at most the problem's {dimension} coordinates"
        require(self.directions <= dimension, "directions", self.directions, allowed)
        order = torch.rand(
            chances.shape, generator=generator, dtype=chances.dtype, device=chances.device
        )
        chosen = (order.log() / chances).topk(self.directions, dim=-1).indices[..., None]
        length = math.sqrt(dimension)
        u = chances.new_zeros(len(chances), self.directions, dimension)
        return Directions.standard(u.scatter_(-1, chosen, length), reach=1 / length)

"""Random coordinates as query directions (ZO-SCD: Lian et al. 2016)."""

from __future__ import annotations

import math
from typing import Any

import torch

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
        like = last.gradient
        dimension = like.shape[-1]
        allowed = f"at most the problem's {dimension} coordinates"
        require(self.directions <= dimension, "sampling.directions", self.directions, allowed)
        order = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        chosen = order.topk(self.directions, dim=-1).indices[..., None]
        length = math.sqrt(dimension)
        u = like.new_zeros(len(like), self.directions, dimension).scatter_(-1, chosen, length)
        return Directions.standard(u, reach=1 / length), None

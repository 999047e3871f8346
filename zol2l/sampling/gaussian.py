"""Standard Gaussian query directions (Nesterov & Spokoiny 2017; ZO-L2L equation 1)."""

from __future__ import annotations

from typing import Any

import torch

from zol2l.sampling.base import LastStep, Sampling
from zol2l.types import Directions


class GaussianSampling(Sampling):
    """u ~ N(0, I_D), independent over instances and directions."""

    def forward(
        self, last: LastStep, state: Any, generator: torch.Generator
    ) -> tuple[Directions, None]:
        u = self.normal(last.gradient, generator)
        return Directions.standard(u), None

"""Coordinatewise gradients: meta-training on problems without gradients (ZO-L2L equation 5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zol2l.chunks import points_per_call
from zol2l.errors import require
from zol2l.oracle import evaluate_in_chunks
from zol2l.types import Optimizee


@dataclass(frozen=True)
class CoordinatewiseGradient:
    """g_i = [f(theta + mu e_i) - f(theta - mu e_i)] / (2 mu) for i = 1 ... D: a `MetaGradient`.

    Exact on quadratics; elsewhere the error is O(mu^2) (Lian et al. 2016; Liu et al. 2018b).
    `smoothing` is mu; None takes the optimizee's default for the dtype. No gradient of the
    optimizee is asked for. The denominator is the distance of the two points as rounded, which
    keeps float32 exact to its last digits where mu is small beside theta.
    Cost: 2D + 1 evaluations per instance, in training alone; no optimizer's query counter sees
    them. They are made some coordinates at a time, `chunk` points a call (None: what stays in
    cache), so that memory holds chunk x D numbers, or B x 2 x D where that is more.
    """

    smoothing: float | None = None
    chunk: int | None = None

    def __post_init__(self) -> None:
        mu, chunk = self.smoothing, self.chunk
        require(mu is None or mu > 0, "smoothing", mu, "a step mu > 0, or null")
        require(chunk is None or chunk >= 1, "chunk", chunk, "at least 1, or null")

    @torch.no_grad()
    def __call__(self, optimizee: Optimizee, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Value (B,) and gradient (B, D) at theta (B, D); NaN where a probe returned NaN."""
        theta = theta.detach()
        instances, dimension = theta.shape
        chunk = self.chunk or points_per_call(dimension, theta.device)
        at_once = max(1, chunk // (2 * instances))
        value = evaluate_in_chunks(optimizee, theta[:, None], self.chunk).loss[:, 0]
        everything = torch.arange(dimension, device=theta.device)
        slopes = [self._slopes(optimizee, theta, some) for some in everything.split(at_once)]
        return value, torch.cat(slopes, dim=1)

    def _slopes(self, optimizee: Optimizee, theta: Tensor, some: Tensor) -> Tensor:
        """The gradient (B, c) in some coordinates (c,)."""
        mu, count = self._step(optimizee, theta.dtype), len(some)
        ahead, behind = theta[:, some] + mu, theta[:, some] - mu
        points = theta[:, None].repeat(1, 2 * count, 1)
        which = torch.arange(count, device=theta.device)
        points[:, which, some] = ahead
        points[:, which + count, some] = behind
        loss = evaluate_in_chunks(optimizee, points, self.chunk).loss
        return (loss[:, :count] - loss[:, count:]) / (ahead - behind)

    def _step(self, optimizee: Optimizee, dtype: torch.dtype) -> float:
        known = self.smoothing is not None or dtype in optimizee.smoothing
        allowed = f"this problem has no default mu in {dtype}"
        require(known, "smoothing", None, allowed)
        return self.smoothing or optimizee.smoothing[dtype]

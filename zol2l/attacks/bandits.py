"""Bandits with time and data priors, under l_inf (Ilyas, Engstrom & Madry, ICLR 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zol2l.attacks.attack import Attack
from zol2l.errors import require
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.threat_model import LInfBall, ThreatModel
from zol2l.oracle import Oracle
from zol2l.types import Rows


@dataclass(frozen=True)
class Belief(Rows):
    """Perturbations theta (B, D), and the prior v (B, C, h, w) on a coarse grid."""

    theta: Tensor
    prior: Tensor


class BanditsTD(Attack):
    """A prior v in [-1, 1] on a coarse grid stands for the gradient; two queries a step improve it.

    With u ~ N(0, I/n) of n tiles and a_+- = v +- exploration u, the probes stand at x + eta a/|a|,
    tiles blown up to pixels. g = [f(+) - f(-)] / (eta exploration) u, then exponentiated gradients:
    p <- p e^(rate g) / (p e^(rate g) + (1 - p) e^(-rate g)) with p = (v + 1) / 2, and
    x <- project(x - step sign(v)). `tile` tiles a side (data prior); v is kept over steps (time
    prior). Cost: 3 queries a step, the first to see whether the iterate succeeds, which the authors
    did not count.
    """

    def __init__(
        self,
        threat: ThreatModel,
        steps: int = 3333,
        step: float = 0.01,
        prior_rate: float = 100.0,
        exploration: float = 1.0,
        eta: float = 0.1,
        tile: int = 20,
        **options: Any,
    ) -> None:
        super().__init__(threat, **options)
        require(isinstance(threat, LInfBall), "threat", threat.order, "an l_inf ball")
        positive = {
            "steps": steps, "step": step, "prior_rate": prior_rate, "exploration": exploration,
            "eta": eta, "tile": tile,
        }  # fmt: skip
        for name, value in positive.items():
            require(value > 0, name, value, "a positive number")
        self.steps, self.step, self.prior_rate = steps, step, prior_rate
        self.exploration, self.eta, self.tile = exploration, eta, tile

    @property
    def length(self) -> int:
        return self.steps

    def begin(self, problem: ConstrainedAttack, generator: torch.Generator) -> Belief:
        like = problem.images
        sides = [min(self.tile, side) for side in like.shape[2:]]
        return Belief(problem.start(), like.new_zeros(*like.shape[:2], *sides))

    def cost(self, state: Belief) -> int:
        return 3

    def advance(
        self,
        state: Belief,
        step: int,
        oracle: Oracle,
        problem: ConstrainedAttack,
        generator: torch.Generator,
    ) -> Belief:
        prior, theta, like = state.prior, state.theta, problem.images
        noise = torch.randn(prior.shape, generator=generator, dtype=like.dtype, device=like.device)
        u = noise / prior[0].numel() ** 0.5
        away = [self._probe(prior + self.exploration * s * u, like) for s in (1, -1)]
        points = torch.cat([theta[:, None], theta[:, None] + torch.stack(away, 1)], dim=1)
        loss = oracle.query(points).loss
        slope = (loss[:, 1] - loss[:, 2]) / (self.eta * self.exploration)
        prior = exponentiated(prior, slope.view(-1, 1, 1, 1) * u, self.prior_rate)
        moved = problem.project(theta - self.step * self._pixels(prior, like).sign())
        return Belief(moved, prior).where(oracle.active.to(like.device), state)

    def found(self, state: Belief, problem: ConstrainedAttack) -> Tensor:
        return state.theta

    def _pixels(self, tiles: Tensor, like: Tensor) -> Tensor:
        """Tiles (B, C, h, w) blown up to the images' pixels, (B, D)."""
        large: Tensor = interpolate(tiles, size=like.shape[2:], mode="nearest")
        return large.flatten(1)

    def _probe(self, tiles: Tensor, like: Tensor) -> Tensor:
        """A step of length eta along `tiles`, (B, D)."""
        pixels = self._pixels(tiles, like)
        length: Tensor = torch.linalg.vector_norm(pixels, dim=1, keepdim=True)
        return self.eta * pixels / length


def exponentiated(prior: Tensor, gradient: Tensor, rate: float) -> Tensor:
    """The exponentiated-gradient step of a prior in [-1, 1], for each of its coordinates:
    with p = (v + 1)/2, p e^(rate g) / (p e^(rate g) + (1 - p) e^(-rate g)), back as 2p - 1.
    """
    logit = torch.logit((prior + 1) / 2) + 2 * rate * gradient
    moved: Tensor = 2 * torch.sigmoid(logit) - 1
    return moved

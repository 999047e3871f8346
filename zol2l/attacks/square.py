"""Square attack under l_inf (Andriushchenko et al., ECCV 2020): random search over squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zol2l.attacks.attack import Attack
from zol2l.errors import require
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.threat_model import LInfBall, ThreatModel
from zol2l.oracle import Oracle
from zol2l.types import Rows

HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Iterations, of 10,000, after which the share of pixels changed is halved once more."""
FULL = 10_000


@dataclass(frozen=True)
class Kept(Rows):
    """The best perturbations so far, theta (B, D), and their loss (B,), inf before the first."""

    theta: Tensor
    loss: Tensor


class SquareAttack(Attack):
    """Start from vertical stripes of +-eps; then set a random square to +-eps a channel and keep it
    where the loss falls.

    `share` is p, the share of pixels that the first squares cover; it is halved on the paper's
    schedule, rescaled to `steps` iterations. Cost: one query a step, and one for the stripes.
    """

    def __init__(
        self, threat: ThreatModel, steps: int = 2000, share: float = 0.8, **options: Any
    ) -> None:
        super().__init__(threat, **options)
        require(isinstance(threat, LInfBall), "threat", type(threat).__name__, "an l_inf ball")
        require(steps >= 1, "steps", steps, "at least 1")
        require(0 < share <= 1, "share", share, "a share p of the pixels in (0, 1]")
        self.steps, self.share = steps, share

    @property
    def length(self) -> int:
        return 1 + self.steps

    def begin(self, problem: ConstrainedAttack, generator: torch.Generator) -> Kept:
        images = problem.images
        stripes = self._signs(images[:, :, :1], generator).expand_as(images).flatten(1)
        theta = problem.project(stripes)
        return Kept(theta, theta.new_full((len(theta),), torch.inf))

    def cost(self, state: Kept) -> int:
        return 1

    def advance(
        self,
        state: Kept,
        step: int,
        oracle: Oracle,
        problem: ConstrainedAttack,
        generator: torch.Generator,
    ) -> Kept:
        candidate = state.theta
        if step > 0:
            square = self._with_square(state.theta, problem.images, step - 1, generator)
            candidate = problem.project(square)
        seen = oracle.query(candidate[:, None])
        assert seen.success is not None
        loss, won = seen.loss[:, 0], seen.success[:, 0]  # a success may leave the loss as it was
        return Kept(candidate, loss).where(won | (loss < state.loss), state)

    def found(self, state: Kept, problem: ConstrainedAttack) -> Tensor:
        return state.theta

    def side(self, step: int, height: int, width: int) -> int:
        """The squares' side at a step, counted from 0."""
        progress = step * FULL / self.steps
        share = self.share / 2 ** sum(progress > at for at in HALVED_AT)
        return max(1, min(round(math.sqrt(share * height * width)), min(height, width) - 1))

    def _signs(self, like: Tensor, generator: torch.Generator) -> Tensor:
        coin = torch.randint(2, like.shape, generator=generator, device=like.device)
        return self.threat.eps * (2 * coin - 1).to(like)

    def _with_square(
        self, theta: Tensor, images: Tensor, step: int, generator: torch.Generator
    ) -> Tensor:
        """Theta (B, D) with a square of a random place and sign for each image."""
        height, width = images.shape[2:]
        side, count, device = self.side(step, height, width), len(images), images.device

        def within(length: int) -> Tensor:
            first = torch.randint(length - side + 1, (count, 1), generator=generator, device=device)
            place = torch.arange(length, device=device)
            return (place >= first) & (place < first + side)

        square = within(height)[:, None, :, None] & within(width)[:, None, None, :]
        signs = self._signs(images[:, :, :1, :1], generator)
        return torch.where(square, signs, theta.view_as(images)).flatten(1)

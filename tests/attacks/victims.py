"""A linear victim, and one that counts the images it is shown."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.problems import normal, seeded
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import LInfBall, ThreatModel

SHAPE, CLASSES = (2, 3, 2), 4
D = 12


class LinearVictim:
    """logits = W x, dtype of x; `seen` (m, D) holds every image classified."""

    def __init__(self, scale: float = 3.0) -> None:
        self.weight = scale * normal(D, CLASSES, seed=1)
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.seen.append(x.flatten(1))
        return x.flatten(1) @ self.weight.to(x)

    def forget(self) -> None:
        self.seen = []

    def calls(self) -> int:
        return sum(len(x) for x in self.seen)


def pictures(count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand((count, *SHAPE), generator=seeded(3), dtype=torch.float64).to(dtype)


def labelled(victim: LinearVictim, images: Tensor) -> Tensor:
    """The labels that the victim gives: all images are classified correctly."""
    labels = victim(images).argmax(dim=1)
    victim.forget()
    return labels


def problem(count: int, threat: ThreatModel | None = None, scale: float = 3.0) -> ConstrainedAttack:
    victim, images = LinearVictim(scale), pictures(count)
    return ConstrainedAttack(
        victim, images, Goal(labelled(victim, images)), threat or LInfBall(0.3)
    )

"""How many images a classifier still knows under attack, image by image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zol2l.chunks import MOST, device_of, points_per_call
from zol2l.errors import require
from zol2l.maximizers import CrossEntropy, Draws, InnerProblem, Maximizer, Objective
from zol2l.maximizers.draws import OwnDraws
from zol2l.networks.modes import evaluating
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.types import Rows

RADII = (0.5, 1.0, 1.5, 2.0)
"""Where a classifier's loss is measured, in units of the threat model's radius."""


def other_radii(threat: ThreatModel) -> list[float]:
    """Those of `RADII` beside 1 that are of different balls: none beyond the largest."""
    return [factor for factor in RADII if factor != 1 and factor * threat.eps <= threat.largest]


@dataclass(frozen=True)
class RobustnessProtocol:
    """What every classifier is tested on: at most so many test `images`, from the first on; the
    loss at several radii on the first `radius_images` of them.
    """

    images: int = 1000
    radius_images: int = 200
    chunk: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.images >= 1, "images", self.images, "at least 1")
        few = self.radius_images >= 1
        require(few, "radius_images", self.radius_images, "at least 1")
        chunk = self.chunk is None or self.chunk >= 1
        require(chunk, "chunk", self.chunk, "at least 1 image a call, or null")


@dataclass(frozen=True)
class Attacker:
    """A maximizer and what it raises; with a `source` it attacks that classifier in the place of
    the one under test (a black-box transfer attack).
    """

    maximizer: Maximizer
    objective: Objective
    source: nn.Module | None = None


@dataclass(frozen=True)
class Withstood(Rows):
    """predicted (B,) classes of the adversarial images, -1 where the classifier answers NaN,
    correct (B,), loss (B,) the cross-entropy there; trajectory (B, T) what the attacker raised, at
    its iterates x'_0 ... x'_{T-1}.
    """

    adversarial: Tensor
    predicted: Tensor
    correct: Tensor
    loss: Tensor
    trajectory: Tensor


@torch.no_grad()
def withstand(
    classifier: nn.Module,
    attacker: Attacker,
    images: Tensor,
    labels: Tensor,
    threat: ThreatModel,
    *,
    seed: int = 0,
    chunk: int | None = None,
) -> Withstood:
    """Attack images (B, C, H, W) with labels (B,) and look at the last iterate, once.

    The draws of an image depend on `seed` and its place alone, not on the chunks. Attacked on the
    classifier's device, returned on the CPU.
    """
    device = device_of(classifier, images)
    parts = []
    chunk = chunk or min(MOST, points_per_call(images[0].numel(), device))  # gradients need memory
    for rows in torch.arange(len(images)).split(chunk):
        draws = OwnDraws.seeded(seed, rows)
        shown = images[rows].to(device), labels[rows].to(device)
        seen = _withstand(classifier, attacker, *shown, threat, draws)
        parts.append(seen.map(lambda x: x.cpu()))
    return Withstood.cat(parts)


def _withstand(
    classifier: nn.Module,
    attacker: Attacker,
    images: Tensor,
    labels: Tensor,
    threat: ThreatModel,
    draws: Draws,
) -> Withstood:
    target = attacker.source or classifier
    problem = InnerProblem(target, attacker.objective, images, labels, threat)
    with evaluating(attacker.maximizer):
        found = attacker.maximizer(problem, draws)
    (adversarial,) = found.adversarial
    allowed = "one whose images are numbers; NaN comes of a maximizer or a source that broke"
    numbers = bool(adversarial.isfinite().all())
    require(numbers, "attackers", type(attacker.maximizer).__name__, allowed)
    with evaluating(classifier):
        logits = classifier(adversarial)
    predicted = torch.where(logits.isnan().any(dim=1), -1, logits.argmax(dim=1))
    loss = cross_entropy(logits, labels, reduction="none")
    return Withstood(adversarial, predicted, predicted == labels, loss, found.losses.T)


def accuracy(
    classifier: nn.Module,
    maximizer: Maximizer,
    images: Tensor,
    labels: Tensor,
    threat: ThreatModel,
    seed: int = 0,
) -> float:
    """The share of images still known when `maximizer` raises the cross-entropy."""
    attacker = Attacker(maximizer, CrossEntropy())
    seen = withstand(classifier, attacker, images, labels, threat, seed=seed)
    return seen.correct.double().mean().item()

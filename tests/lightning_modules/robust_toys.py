"""Tiny adversarial training jobs on random images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.fit import fit_robust
from lightning_modules.recipe import Recipe
from tests.lightning_modules.toys import fit_arguments
from tests.problems import seeded
from zol2l.maximizers import CrossEntropy, Maximizer, Objective
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.optimizees.threat_model import LInfBall

IMAGES = torch.rand(20, 1, 8, 8, generator=seeded(0))
LABELS = torch.arange(20) % 3
EPS = 0.1


def classifier(dropout: float = 0.5, norm: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    first, last = nn.Conv2d(1, 4, 3, stride=2), nn.Linear(36, 3)
    middle = [nn.BatchNorm2d(4)] if norm else []
    return nn.Sequential(first, *middle, nn.ReLU(), nn.Flatten(), nn.Dropout(dropout), last)


def rnn() -> RNNMaximizer:
    torch.manual_seed(1)
    return RNNMaximizer(steps=3)


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=0.01)


def robust(
    maximizer: Maximizer | None = None,
    objective: Objective | None = None,
    dropout: float = 0.5,
    frozen: bool = False,
    seed: int = 0,
    learner_clip: float | None = None,
    norm: bool = False,
    **recipe: Any,
) -> AdversarialTraining:
    settings = {"epochs": 2, "batch_size": 4, "held_out": 4, "augment": True, **recipe}
    return AdversarialTraining(
        classifier(dropout, norm), maximizer or rnn(), objective or CrossEntropy(), LInfBall(EPS),
        IMAGES, LABELS, Recipe(**settings), sgd, adam, seed=seed, frozen=frozen,
        learner_clip=learner_clip,
    )  # fmt: skip


def fit(job: AdversarialTraining, folder: Path, **options: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    fit_robust(job, keep=found.update, **{**fit_arguments(folder), **options})
    return found


def weights(job: AdversarialTraining) -> torch.Tensor:
    """Of both players, buffers and averages included."""
    return torch.cat([x.detach().flatten().double() for x in job.state_dict().values()])

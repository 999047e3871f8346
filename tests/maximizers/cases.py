"""Small inner problems in float64, and every maximizer."""

from __future__ import annotations

import torch
from torch import nn

from zol2l.maximizers import CrossEntropy, InnerProblem, Margin, Objective, Trades
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.generator import GeneratorMaximizer
from zol2l.maximizers.line_search import BacktrackingPGD
from zol2l.maximizers.pgd import PGD
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.optimizees.threat_model import L2Ball, LInfBall, ThreatModel

MAXIMIZERS = {
    "none": NoMaximizer,
    "pgd": PGD,
    "line_search": BacktrackingPGD,
    "line_search_gradient": lambda: BacktrackingPGD(direction="gradient"),
    "rnn": RNNMaximizer,
    "rnn_max": lambda: RNNMaximizer(normalization="max", scale=0.3),
    "generator": lambda: GeneratorMaximizer(channels=1, classes=3, steps=3),
}
LEARNED = ("rnn", "rnn_max", "generator")
OBJECTIVES = {"cross_entropy": CrossEntropy(), "trades": Trades(2.0), "margin": Margin()}
BALLS = {"linf": LInfBall(0.2), "l2": L2Ball(0.7)}


def network(seed: int = 0, dropout: float = 0.5) -> nn.Sequential:
    """3 classes, 1 x 8 x 8 pixels, smooth."""
    torch.manual_seed(seed)
    first, last = nn.Linear(64, 6), nn.Linear(6, 3)
    return nn.Sequential(nn.Flatten(), first, nn.Tanh(), nn.Dropout(dropout), last).double()


def inner_problem(
    objective: Objective | None = None,
    threat: ThreatModel | None = None,
    instances: int = 4,
    classifier: nn.Module | None = None,
) -> InnerProblem:
    """A problem on random images."""
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(instances, 1, 8, 8, generator=generator, dtype=torch.float64)
    labels = torch.arange(instances) % 3
    ball = threat or LInfBall(0.2)
    return InnerProblem(classifier or network(), objective or CrossEntropy(), images, labels, ball)

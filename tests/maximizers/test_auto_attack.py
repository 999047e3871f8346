"""AutoAttack through torchattacks: within the ball, stronger than PGD, and missing politely."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from tests.maximizers.cases import inner_problem
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.maximizers import Draws
from zol2l.maximizers.auto_attack import AutoAttack
from zol2l.maximizers.pgd import PGD
from zol2l.optimizees.threat_model import LInfBall


def test_it_stays_within_the_threat_model_and_breaks_no_fewer_images_than_pgd() -> None:
    pytest.importorskip("torchattacks")
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    classifier[1].weight.data *= 3
    problem = inner_problem(threat=LInfBall(0.1), instances=6, classifier=classifier)
    problem.images = problem.images.float()
    with torch.no_grad():
        problem.labels = classifier(problem.images).argmax(dim=1)
    known = {}
    for name, attack in {"auto": AutoAttack(classes=5), "pgd": PGD(10)}.items():
        (found,) = attack(problem, Draws.of(seeded(0), 6)).adversarial
        assert (found - problem.images).abs().max() <= 0.1 + 1e-6
        assert found.min() >= 0 and found.max() <= 1
        with torch.no_grad():
            known[name] = int((classifier(found).argmax(dim=1) == problem.labels).sum())
    assert known["auto"] <= known["pgd"] < 6


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchattacks", None)
    with pytest.raises(InvalidInput, match="pip install torchattacks"):
        AutoAttack()

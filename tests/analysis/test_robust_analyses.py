"""Trajectories and landscapes of the loss on classifiers whose loss is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.maximizers.cases import network
from tests.problems import seeded
from zol2l.analysis.attack_trajectories import loss_trajectories
from zol2l.analysis.loss_landscape import loss_landscape
from zol2l.errors import InvalidInput
from zol2l.evaluation.robustness import Attacker, withstand
from zol2l.maximizers import CrossEntropy
from zol2l.maximizers.pgd import PGD
from zol2l.optimizees.threat_model import LInfBall

IMAGES = 0.3 + 0.4 * torch.rand(5, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
LABELS = torch.arange(5) % 3
BALL = LInfBall(0.1)


def test_a_trajectory_holds_the_loss_at_every_iterate() -> None:
    attackers = {f"pgd{k}": Attacker(PGD(k), CrossEntropy()) for k in (2, 5)}
    table = loss_trajectories(network().eval(), attackers, IMAGES, LABELS, BALL)
    assert table.groupby("attacker")["step"].max().to_dict() == {"pgd2": 2, "pgd5": 5}
    for step in range(1, 6):
        attacker = Attacker(PGD(step), CrossEntropy())
        reached = withstand(network().eval(), attacker, IMAGES, LABELS, BALL).loss.mean().item()
        found = table[(table["attacker"] == "pgd5") & (table["step"] == step)]["loss"]
        assert found.tolist() == pytest.approx([reached])
    both = table[table["step"] <= 2].pivot_table("loss", "step", "attacker")
    np.testing.assert_allclose(both["pgd2"], both["pgd5"])


def test_the_landscape_is_the_loss_at_the_places_of_the_grid() -> None:
    classifier = network().eval()
    table = loss_landscape(classifier, IMAGES, LABELS, reach=0.2, points=5, seed=3)
    assert len(table) == 25
    centre = table[(table["along_gradient"] == 0) & (table["along_random"].abs() < 1e-9)]
    clean = CrossEntropy().inner(classifier(IMAGES), LABELS, None).mean().item()
    assert centre["loss"].tolist() == pytest.approx([clean])
    point = IMAGES.clone().requires_grad_()
    total = CrossEntropy().inner(classifier(point), LABELS, None).sum()
    (gradient,) = torch.autograd.grad(total, point)
    moved = (IMAGES + 0.2 * gradient.sign()).clamp(0, 1)
    far = CrossEntropy().inner(classifier(moved), LABELS, None).mean().item()
    place = (table["along_gradient"] - 0.2).abs() + table["along_random"].abs()
    assert table.loc[place.idxmin(), "loss"] == pytest.approx(far)
    along = table[table["along_random"].abs() < 1e-9].sort_values("along_gradient")["loss"]
    assert along.is_monotonic_increasing


def test_one_point_is_no_landscape() -> None:
    with pytest.raises(InvalidInput, match="points=1"):
        loss_landscape(network(), IMAGES, LABELS, 0.1, points=1)

"""Objectives against their formulas, written out."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.maximizers.cases import inner_problem, network
from tests.problems import seeded
from zol2l.maximizers import CrossEntropy, Draws, InnerProblem, Margin, Objective, Trades
from zol2l.maximizers.pgd import PGD
from zol2l.optimizees.threat_model import LInfBall


def test_trades_with_pgd_has_the_gradient_of_its_formula() -> None:
    classifier = network(dropout=0.0)
    problem = inner_problem(Trades(3.0), classifier=classifier)
    adversarial = PGD()(problem, Draws.of(seeded(0), 4)).adversarial
    weights = list(classifier.parameters())
    loss = Trades(3.0).outer(classifier, problem.images, adversarial, problem.labels)
    found = torch.autograd.grad(loss, weights)

    clean, other = classifier(problem.images).softmax(1), classifier(adversarial[0]).softmax(1)
    true = clean[torch.arange(4), problem.labels]
    formula = (-true.log() + 3.0 * (clean * (clean / other).log()).sum(1)).mean()
    wanted = torch.autograd.grad(formula, weights)
    torch.testing.assert_close(loss, formula)
    torch.testing.assert_close(found, wanted)


def test_trades_inner_is_the_divergence_from_the_clean_prediction() -> None:
    problem = inner_problem(Trades(3.0))
    point = (problem.images + 0.1).clamp(0, 1)
    value, slope = problem.slope(point)
    point.requires_grad_()
    network = problem.classifier.eval()
    p, q = network(problem.images).softmax(1).detach(), network(point).softmax(1)
    wanted = (p * (p.log() - q.log())).sum(1)
    torch.testing.assert_close(value, wanted.detach())
    torch.testing.assert_close(slope, torch.autograd.grad(wanted.sum(), point)[0])
    clean, _ = problem.slope(problem.images)
    torch.testing.assert_close(clean, torch.zeros_like(clean))


def test_the_margin_is_that_of_log_probabilities() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    margin = Margin().inner(logits, torch.tensor([0, 2]), None)
    torch.testing.assert_close(margin, torch.tensor([-1.0, 1.0]))


def test_cross_entropy_is_the_mean_over_copies_and_the_clean_images_where_asked() -> None:
    classifier = network(dropout=0.0)
    problem = inner_problem(classifier=classifier)
    copies = torch.stack([problem.images, problem.images.flip(3)])
    each = [cross_entropy(classifier(x), problem.labels) for x in copies]
    arguments = (classifier, problem.images, copies, problem.labels)
    torch.testing.assert_close(CrossEntropy().outer(*arguments), sum(each) / 2)
    with_clean = (each[0] + each[1] + each[0]) / 3
    torch.testing.assert_close(CrossEntropy(clean=True).outer(*arguments), with_clean)


@pytest.mark.parametrize("objective", [Trades(beta=1.0), CrossEntropy()])
def test_autocast_leaves_the_distance_of_two_near_answers_exact(objective: Objective) -> None:
    """Cross-entropy may round; the divergence of answers that are nearly the same may not."""
    images, labels = torch.rand(4, 1, 8, 8, generator=seeded(1)), torch.arange(4) % 3
    given = network().float(), objective, images, labels, LInfBall(0.2)
    near = images + 1e-3 * torch.randn(images.shape, generator=seeded(2))
    value, slope = InnerProblem(*given).slope(near)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = InnerProblem(*given).slope(near)
    same = torch.equal(value, rounded[0]) and torch.equal(slope, rounded[1])
    assert same == objective.needs_clean

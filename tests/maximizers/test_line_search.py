"""Backtracking satisfies its condition (Xiong & Hsieh, equation 4)."""

from __future__ import annotations

import torch

from tests.maximizers.cases import inner_problem
from tests.problems import seeded
from zol2l.maximizers import Draws
from zol2l.maximizers.line_search import BacktrackingPGD
from zol2l.optimizees.threat_model import LInfBall


def test_equation_4_holds_where_the_projection_changes_nothing() -> None:
    problem = inner_problem(threat=LInfBall(1.0))
    problem.project = lambda x: x  # type: ignore[method-assign]
    c = 0.3
    search = BacktrackingPGD(1, rate=400.0, c=c, direction="gradient", halvings=40, noise=0.0)
    loss, gradient = problem.slope(problem.images)
    moved, _ = search.move(problem, problem.images, loss, gradient, None)
    length = gradient.flatten(1).norm(dim=1)
    alpha = (moved - problem.images).flatten(1).norm(dim=1) / length
    assert (problem.value(moved) >= loss + c * alpha * length**2).all()
    first = 400.0 / gradient.abs().amax(dim=(1, 2, 3))
    halvings = torch.log2(first / alpha)
    torch.testing.assert_close(halvings, halvings.round(), rtol=0, atol=1e-6)
    longer = problem.images + 2 * alpha.view(-1, 1, 1, 1) * gradient
    shortened = halvings.round() > 0
    assert shortened.any()
    refused = problem.value(longer) < loss + c * 2 * alpha * length**2
    assert refused[shortened].all()  # the largest candidate that satisfies it


def test_no_step_lowers_the_loss() -> None:
    problem = inner_problem(threat=LInfBall(0.9))
    losses = BacktrackingPGD(12, rate=4.0)(problem, Draws.of(seeded(0), 4)).losses
    assert (losses.diff(dim=0) >= 0).all() and (losses[-1] > losses[0]).all()


def test_an_image_that_no_candidate_improves_stays() -> None:
    problem = inner_problem()
    loss, gradient = problem.slope(problem.images)
    search = BacktrackingPGD(halvings=3)
    moved, _ = search.move(problem, problem.images, loss + 1e3, gradient, None)
    assert torch.equal(moved, problem.images)
    assert problem.forwards == 4

"""Equation 2 of ZO-NGD, and what the problem shows beside it."""

from __future__ import annotations

import torch

from tests.attacks.victims import CLASSES, LinearVictim, labelled, pictures
from tests.problems import normal
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import LInfBall

B, N, D = 3, 4, 12


def test_the_loss_is_equation_2() -> None:
    victim, images = LinearVictim(), pictures(B)
    labels, kappa = labelled(victim, images), 0.5
    for targets in (None, (labels + 1) % CLASSES):
        problem = ConstrainedAttack(victim, images, Goal(labels, targets), LInfBall(0.2), kappa)
        theta = 0.3 * normal(B, N, D, seed=5)
        seen = problem(theta)
        for b in range(B):
            for n in range(N):
                point = images[b].flatten() + theta[b, n]
                log_p = (point @ victim.weight).log_softmax(dim=0)
                chosen = int(labels[b] if targets is None else targets[b])
                others = max(log_p[j] for j in range(CLASSES) if j != chosen)
                margin = log_p[chosen] - others if targets is None else others - log_p[chosen]
                assert torch.isclose(seen.loss[b, n], margin.clamp(min=-kappa))
                assert bool(seen.success[b, n]) == bool(margin < 0 and margin <= -kappa)
                assert torch.isclose(seen.log_likelihood[b, n], log_p[chosen])
                assert torch.allclose(seen.log_probabilities[b, n], log_p)
                assert torch.isclose(seen.distortion[b, n], theta[b, n].abs().max())


def test_it_starts_at_the_clean_images() -> None:
    victim, images = LinearVictim(), pictures(B)
    problem = ConstrainedAttack(victim, images, Goal(labelled(victim, images)), LInfBall(0.2))
    assert not problem.start().any()
    assert torch.equal(problem.adversarial(problem.start()), images)
    assert torch.equal(
        problem[1:](problem.start()[1:, None]).loss, problem(problem.start()[:, None]).loss[1:]
    )

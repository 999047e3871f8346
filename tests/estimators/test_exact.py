"""White-box estimates are autograd's, and cost one query."""

from __future__ import annotations

import pytest
import torch

from tests.attacks.victims import problem
from tests.doubles import last_step
from tests.estimators.test_information import every_coordinate, fisher
from tests.problems import Recorded, seeded
from zol2l.estimators import AllClasses, ExactGradient, LogOdds, OuterProduct, TwoOutcome
from zol2l.estimators.information import Information
from zol2l.meta_gradient import autograd_gradient
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling

B, D = 3, 12


def test_gradient_and_scores_are_exact_at_one_query() -> None:
    for information in (OuterProduct(), TwoOutcome(), AllClasses(), LogOdds()):
        counted = Recorded(problem(B))
        oracle = Oracle(counted)
        start = oracle.optimizee.start()
        estimate, _ = ExactGradient(information)(oracle, start, every_coordinate(D), None, seeded())
        assert oracle.loss_queries.tolist() == [1] * B
        assert torch.allclose(estimate.gradient, autograd_gradient(problem(B), start)[1])
        matrix = estimate.score.transpose(1, 2) @ estimate.score
        assert torch.allclose(matrix, fisher(information), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("loss", "information", "passes"),
    [
        ("margin", OuterProduct(), 2),
        ("margin", LogOdds(), 1),
        ("cross_entropy", OuterProduct(), 1),
    ],
)
def test_an_outcome_that_follows_from_the_loss_takes_no_second_backward_pass(
    loss: str, information: Information, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack, done, differentiate = problem(B), [], torch.autograd.grad
    attack.loss = loss
    monkeypatch.setattr(
        torch.autograd, "grad", lambda *a, **k: done.append(1) or differentiate(*a, **k)
    )
    oracle, start = Oracle(attack), attack.start()
    ExactGradient(information)(oracle, start, every_coordinate(D), None, seeded())
    assert len(done) == passes


def test_an_image_that_succeeded_gets_no_gradient() -> None:
    attack = problem(B)
    start = attack.start()
    start[1] = -3 * autograd_gradient(attack, start)[1][1]
    assert attack(start[:, None]).success[:, 0].tolist() == [False, True, False]
    oracle = Oracle(attack, until_success=True)
    directions, _ = GaussianSampling(1)(last_step(start), None, seeded())
    estimate, _ = ExactGradient(OuterProduct())(oracle, start, directions, None, seeded())
    assert not estimate.gradient[1].any()
    assert estimate.gradient[0].any()
    assert not estimate.score[1].any()

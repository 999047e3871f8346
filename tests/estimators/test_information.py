"""Fisher information from queries: the exact matrix where the exact one is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from tests.attacks.victims import problem
from tests.problems import Recorded, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.estimators import (
    AllClasses,
    CentralDifference,
    ForwardDifference,
    LogOdds,
    MonteCarlo,
    OuterProduct,
    TwoOutcome,
)
from zol2l.estimators.information import Information
from zol2l.optimizees.goals import Goal
from zol2l.oracle import Oracle
from zol2l.types import Directions, Evaluation

B, D = 3, 12


def every_coordinate(dimension: int) -> Directions:
    """Along all coordinates, scaled so that E[u u^T] = I: the estimate is the whole gradient."""
    u = dimension**0.5 * torch.eye(dimension, dtype=torch.float64).expand(B, -1, -1)
    return Directions.standard(u, reach=dimension**-0.5)


def fisher(information: Information, scale: float = 3.0) -> Tensor:
    oracle = Oracle(problem(B, scale=scale))
    estimator = CentralDifference(1e-4, information)
    estimate, _ = estimator(oracle, oracle.optimizee.start(), every_coordinate(D), None, seeded())
    return estimate.score.transpose(1, 2) @ estimate.score


def exact(
    weights: Callable[[Tensor, int], Tensor], outcomes: Callable[[Tensor, int], Tensor]
) -> Tensor:
    """sum_k w_k grad log p_k grad log p_k^T by autograd."""
    attack = problem(B)
    matrices = []
    for b in range(B):
        label = int(attack.goal.labels[b])

        def log_p(theta: Tensor, b: int = b, label: int = label) -> Tensor:
            return outcomes(attack[[b]](theta[None, None]).log_probabilities[0, 0], label)

        start = torch.zeros(D, dtype=torch.float64)
        scores = jacobian(log_p, start)
        w = weights(log_p(start), label)
        matrices.append(scores.T @ (w[:, None] * scores))
    return torch.stack(matrices)


def test_all_classes_give_equation_9() -> None:
    expected = exact(lambda log_p, label: log_p.exp(), lambda log_p, label: log_p)
    assert torch.allclose(fisher(AllClasses()), expected, rtol=1e-5, atol=1e-7)


def test_the_outer_product_is_equation_12() -> None:
    expected = exact(
        lambda log_p, label: torch.ones_like(log_p), lambda log_p, label: log_p[[label]]
    )
    assert torch.allclose(fisher(OuterProduct()), expected, rtol=1e-5, atol=1e-7)


def test_two_outcomes_need_the_probability_of_one_class() -> None:
    def outcomes(log_p: Tensor, label: int) -> Tensor:
        return torch.stack([log_p[label], torch.log1p(-log_p[label].exp())])

    expected = exact(lambda log_p, label: log_p.exp(), outcomes)
    assert torch.allclose(fisher(TwoOutcome()), expected, rtol=1e-5, atol=1e-7)


def test_log_odds_are_the_outer_product_among_the_label_and_its_strongest_rival() -> None:
    def among_two(log_p: Tensor, label: int) -> Tensor:
        rival = int(log_p.detach().index_fill(0, torch.tensor(label), -torch.inf).argmax())
        return log_p[[label, rival]].log_softmax(0)[:1]

    expected = exact(lambda log_p, label: torch.ones_like(log_p), among_two)
    assert torch.allclose(fisher(LogOdds()), expected, rtol=1e-5, atol=1e-7)


def test_log_odds_need_no_probabilities() -> None:
    oracle = Oracle(quadratic(B, D))
    start = oracle.optimizee.start()
    estimator = CentralDifference(1e-4, LogOdds())
    estimate, _ = estimator(oracle, start, every_coordinate(D), None, seeded())
    f = estimate.base.loss
    assert torch.allclose(estimate.score[:, 0], torch.sigmoid(-f) * estimate.gradient, rtol=1e-4)


def test_monte_carlo_has_the_exact_matrix_as_its_mean() -> None:
    samples = 40_000
    expected, drawn = fisher(AllClasses()), fisher(MonteCarlo(samples))
    assert not torch.equal(expected, drawn)
    assert ((drawn - expected).norm(dim=(1, 2)) < 0.05 * expected.norm(dim=(1, 2))).all()
    ranks = torch.linalg.matrix_rank(fisher(MonteCarlo(1)), rtol=1e-8)
    assert ranks.tolist() == [1] * B


def test_float32_sees_how_uncertain_a_nearly_certain_victim_is() -> None:
    """log(1 - p) from the other classes: from p alone it drowns in rounding below 1e-7."""
    logits = torch.tensor([[20.0, 0.3, -1.2, 0.7]])
    goal = Goal(torch.tensor([0]))
    single = goal.log_rest(logits.log_softmax(-1)[:, None])
    double = goal.log_likelihood(logits.double().log_softmax(-1)[:, None])
    assert torch.allclose(single.double(), torch.log(-torch.expm1(double)), rtol=1e-6)


def test_a_certain_answer_is_finite() -> None:
    certain = Evaluation(torch.zeros(1, 1), log_likelihood=torch.zeros(1, 1))
    assert TwoOutcome().outcomes(certain).isfinite().all()
    assert fisher(TwoOutcome(), scale=100.0).isfinite().all()


@pytest.mark.parametrize(
    "information", [OuterProduct(), TwoOutcome(), AllClasses(), MonteCarlo(2), LogOdds()]
)
def test_it_costs_no_queries(information: Information) -> None:
    counted = Recorded(problem(B))
    oracle = Oracle(counted)
    for estimator in (ForwardDifference(1e-3, information), CentralDifference(1e-3, information)):
        before = counted.counts(B)
        estimator(oracle, oracle.optimizee.start(), every_coordinate(D), None, seeded())
        spent = counted.counts(B) - before
        assert spent.tolist() == [estimator.queries(D, None)] * B


def test_a_problem_without_probabilities_is_refused() -> None:
    oracle = Oracle(quadratic(B, D))
    with pytest.raises(InvalidInput, match="probability of the label"):
        ForwardDifference(1e-3, OuterProduct())(
            oracle, oracle.optimizee.start(), every_coordinate(D), None, seeded()
        )

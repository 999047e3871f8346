"""The natural gradient equals the dense inverse, and equation 22 for one outcome."""

from __future__ import annotations

import pytest
import torch

from tests.problems import normal
from zol2l.errors import InvalidInput
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import NaturalGradient

B, D, RATE = 3, 7, 0.3


def estimate(outcomes: int, dtype: torch.dtype = torch.float64) -> GradientEstimate:
    base = Evaluation(torch.zeros(B, 1, dtype=dtype))
    score = normal(B, outcomes, D, seed=2, dtype=dtype)
    return GradientEstimate(normal(B, D, seed=1, dtype=dtype), base, score)


@pytest.mark.parametrize("outcomes", [1, 2, 5])
@pytest.mark.parametrize("damping", [5e-6, 1e-3, 1.0])
def test_it_equals_the_dense_inverse(outcomes: int, damping: float) -> None:
    seen = estimate(outcomes)
    delta, state = NaturalGradient(RATE, damping)(seen, None)
    assert state is None
    for b in range(B):
        fisher = seen.score[b].T @ seen.score[b] + damping * torch.eye(D, dtype=torch.float64)
        expected = -RATE * torch.linalg.inv(fisher) @ seen.gradient[b]
        assert torch.allclose(delta[b], expected, rtol=1e-6)


def test_one_outcome_is_equation_22() -> None:
    seen, gamma = estimate(1), 0.01
    s, g = seen.score[:, 0], seen.gradient
    c2 = s.square().sum(dim=1, keepdim=True)
    inner = (s * g).sum(dim=1, keepdim=True)
    expected = RATE * (1 / (c2 + gamma) - 1 / gamma) / c2 * s * inner + RATE / gamma * g
    assert torch.allclose(NaturalGradient(RATE, gamma)(seen, None)[0], -expected)


def test_float32_is_close_at_the_released_damping() -> None:
    single = NaturalGradient(RATE, 5e-6)(estimate(2, torch.float32), None)[0]
    double = NaturalGradient(RATE, 5e-6)(estimate(2), None)[0]
    error = (single - double).norm(dim=1) / double.norm(dim=1)
    assert (error < 1e-4).all(), error


@pytest.mark.parametrize("gamma", [1e-2, 1e-4, 1e-6])
def test_a_score_along_the_gradient_only_shortens_it(gamma: float) -> None:
    g = 10 * normal(B, D, seed=1, dtype=torch.float32)
    seen = GradientEstimate(g, Evaluation(torch.zeros(B, 1)), 0.5 * g[:, None])
    expected = -RATE * g / (gamma + 0.25 * g.square().sum(dim=1, keepdim=True))
    torch.testing.assert_close(NaturalGradient(RATE, gamma)(seen, None)[0], expected)


def test_an_estimate_without_fisher_information_is_refused() -> None:
    plain = GradientEstimate(normal(B, D), Evaluation(torch.zeros(B, 1)))
    with pytest.raises(InvalidInput, match="information"):
        NaturalGradient(RATE)(plain, None)

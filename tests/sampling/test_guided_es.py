"""Guided ES: the stated covariance before rescaling, the norm kept, degenerate subspaces."""

from __future__ import annotations

import math

import pytest
import torch

from zol2l.errors import InvalidInput
from zol2l.sampling import GuidedES, LastStep
from zol2l.sampling.guided_es import guiding_basis

B, D, Q = 2, 6, 40_000


def last(seed: int = 0, *, collinear: bool = False) -> LastStep:
    generator = torch.Generator().manual_seed(seed)
    gradient, delta = torch.randn(2, B, D, generator=generator, dtype=torch.float64)
    return LastStep(gradient, -3e-4 * gradient if collinear else delta)


def draw(alpha: float, step: LastStep) -> tuple[torch.Tensor, torch.Tensor]:
    rule = GuidedES(Q, alpha)
    directions, _ = rule(step, None, torch.Generator().manual_seed(1))
    z = rule.normal(step.gradient, torch.Generator().manual_seed(1))
    return directions.u, z


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0])
def test_the_norm_is_that_of_the_gaussian_draw(alpha: float) -> None:
    u, z = draw(alpha, last())
    assert torch.allclose(u.norm(dim=-1), z.norm(dim=-1), rtol=1e-12)


def test_alpha_one_is_gaussian() -> None:
    u, z = draw(1.0, last())
    assert torch.allclose(u, z, rtol=1e-12)


def test_the_basis_is_orthonormal_and_spans_both_surrogates() -> None:
    step = last()
    basis = guiding_basis(step)
    identity = torch.eye(2, dtype=torch.float64).expand(B, 2, 2)
    assert torch.allclose(basis.mT @ basis, identity, atol=1e-12)
    for surrogate in (step.gradient, step.delta):
        inside = torch.einsum("bdk,bek,be->bd", basis, basis, surrogate)
        assert torch.allclose(inside, surrogate, rtol=1e-10)


def test_a_collinear_update_adds_no_direction() -> None:
    basis = guiding_basis(last(collinear=True))
    assert torch.equal(basis[..., 1], torch.zeros(B, D, dtype=torch.float64))
    assert torch.allclose(basis[..., 0].norm(dim=1), torch.ones(B, dtype=torch.float64))


@pytest.mark.parametrize("alpha", [0.2, 0.5])
def test_before_rescaling_the_covariance_is_equation_7(alpha: float) -> None:
    basis = guiding_basis(last())[0]
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(Q, D, generator=generator, dtype=torch.float64)
    w = torch.randn(Q, 2, generator=generator, dtype=torch.float64)
    u = GuidedES(Q, alpha).mix(z, w @ basis.T)
    expected = alpha * torch.eye(D, dtype=torch.float64) + (1 - alpha) * basis @ basis.T
    assert torch.allclose(u.T @ u / Q, expected, atol=5 / math.sqrt(Q))


def test_the_standard_deviation_is_that_of_equation_7() -> None:
    directions, _ = GuidedES(Q, 0.3)(last(), None, torch.Generator().manual_seed(1))
    basis = guiding_basis(last())
    expected = 0.3 + 0.7 * (basis @ basis.mT).diagonal(dim1=-2, dim2=-1)
    assert torch.allclose(directions.std.square(), expected, rtol=1e-12)


def test_the_first_step_is_gaussian() -> None:
    zeros = torch.zeros(B, D, dtype=torch.float64)
    u, z = draw(0.5, LastStep(zeros, zeros))
    assert torch.allclose(u, z, rtol=1e-12)


def test_one_dimension() -> None:
    step = LastStep(torch.ones(B, 1), torch.ones(B, 1))
    directions, _ = GuidedES(3)(step, None, torch.Generator().manual_seed(0))
    assert directions.u.isfinite().all()


@pytest.mark.parametrize("alpha", [0.0, -1.0, 1.1])
def test_alpha_must_be_a_trade_off(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        GuidedES(3, alpha)

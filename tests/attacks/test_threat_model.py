"""Projections end in the ball and the box, leave what is allowed alone, and are the nearest."""

from __future__ import annotations

import pytest
import torch

from tests.problems import normal, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees.threat_model import L2Ball, LInfBall, ThreatModel

B, D = 40, 6
THREATS = [LInfBall(0.2), L2Ball(0.3)]


def clean(dtype: torch.dtype) -> torch.Tensor:
    """Pixels of which many are exactly 0 or 1, where the box cuts the ball."""
    x = 2 * torch.rand((B, D), generator=seeded(1), dtype=torch.float64) - 0.5
    return x.clamp(0, 1).to(dtype)


@pytest.mark.parametrize("threat", THREATS)
def test_projected_perturbations_are_allowed(threat: ThreatModel, dtype: torch.dtype) -> None:
    images = clean(dtype)
    delta = threat.project(normal(B, D, seed=2, dtype=dtype), images)
    assert (threat.size(delta) <= threat.eps + 1e-6).all()
    assert ((images + delta) >= -1e-6).all()
    assert ((images + delta) <= 1 + 1e-6).all()
    assert delta.dtype == dtype


def test_large_images_are_within_the_ball_by_less_than_rounding() -> None:
    """Inception's 268,203 pixels: float32 measures lengths of 5 with an error of 1e-5."""
    images = torch.rand((2, 268_203), generator=seeded(0))
    delta = L2Ball(5.0).project(torch.randn(images.shape, generator=seeded(1)), images)
    length = delta.double().norm(dim=1)
    assert ((length <= 5.0) & (length > 5.0 - 1e-5)).all()


@pytest.mark.parametrize("threat", THREATS)
def test_what_is_allowed_stays(threat: ThreatModel) -> None:
    images = clean(torch.float64)
    allowed = threat.project(0.02 * normal(B, D, seed=2), images)
    assert torch.allclose(threat.project(allowed, images), allowed, rtol=0, atol=1e-12)


@pytest.mark.parametrize("threat", THREATS)
def test_nothing_allowed_is_nearer(threat: ThreatModel) -> None:
    """For the nearest point x of a convex set, <delta - x, y - x> <= 0 for every y in the set."""
    images, delta = clean(torch.float64), normal(B, D, seed=2)
    nearest = threat.project(delta, images)
    assert (nearest - delta).norm(dim=1).min() > 0.1, "a test of projections needs some to do"
    for seed in range(50):
        other = threat.project(0.3 * normal(B, D, seed=10 + seed), images)
        assert (((delta - nearest) * (other - nearest)).sum(dim=1) <= 1e-9).all()


def test_a_radius_is_positive() -> None:
    with pytest.raises(InvalidInput, match=r"eps=0"):
        LInfBall(0)

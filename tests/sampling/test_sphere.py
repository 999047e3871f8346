"""Directions lie on the sphere, cover it evenly, and put probes at distance mu."""

from __future__ import annotations

import pytest
import torch

from tests.doubles import last_step
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.sampling import SphereSampling


@pytest.mark.parametrize("radius", [None, 1.0])
def test_directions_are_uniform_on_the_sphere(radius: float | None, dtype: torch.dtype) -> None:
    samples, dimension = 20_000, 3
    like = torch.zeros(2, dimension, dtype=dtype)
    drawn, _ = SphereSampling(samples, radius)(last_step(like), None, seeded(1))
    u, length = drawn.u.double(), radius or dimension**0.5
    assert torch.allclose(u.norm(dim=-1), torch.full((2, samples), length, dtype=torch.float64))
    assert drawn.reach == pytest.approx(1 / length)
    flat = u.transpose(1, 2).flatten(0, 1)
    expected = torch.eye(6, dtype=torch.float64) * length**2 / dimension
    assert ((flat @ flat.T / samples - expected).abs() <= 4 * length**2 / samples**0.5).all()
    assert (flat.mean(dim=1).abs() <= 4 * length / samples**0.5).all()


def test_a_radius_is_positive() -> None:
    with pytest.raises(InvalidInput, match=r"radius=-1"):
        SphereSampling(2, -1.0)

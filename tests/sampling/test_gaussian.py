"""Gaussian directions are standard normal, independent, and come from the given generator alone."""

from __future__ import annotations

import pytest
import torch

from tests.doubles import last_step
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.sampling import GaussianSampling


def test_directions_have_mean_zero_and_identity_covariance(dtype: torch.dtype) -> None:
    samples = 20_000
    like = torch.zeros(2, 3, dtype=dtype)
    directions, state = GaussianSampling(samples)(last_step(like), None, seeded(1))
    u = directions.u.double()
    assert u.shape == (2, samples, 3)
    assert directions.u.dtype == dtype
    assert state is None
    flat = u.transpose(1, 2).flatten(0, 1)  # 6 variables: instances are independent as well
    assert (flat.mean(dim=1).abs() <= 4 * samples**-0.5).all()
    covariance = flat @ flat.T / samples
    assert ((covariance - torch.eye(6)).abs() <= 4 * (2 / samples) ** 0.5).all()
    assert torch.equal(directions.std, torch.ones_like(like))
    assert torch.equal(directions.penalty, torch.zeros(2, dtype=dtype))


def test_the_generator_decides_everything() -> None:
    draw = GaussianSampling(2)
    last = last_step(torch.zeros(1, 3))
    torch.manual_seed(0)
    first = draw(last, None, seeded(2))[0].u
    torch.manual_seed(1)
    assert torch.equal(first, draw(last, None, seeded(2))[0].u)
    assert not torch.equal(first, draw(last, None, seeded(3))[0].u)


def test_no_directions_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"directions=0"):
        GaussianSampling(0)

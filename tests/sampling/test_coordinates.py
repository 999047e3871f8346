"""Random coordinates: distinct, uniform, with the covariance and the reach they state."""

from __future__ import annotations

import math

import pytest
import torch

from tests.doubles import last_step
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.sampling import RandomCoordinates
from zol2l.types import Directions


def drawn(directions: int, like: torch.Tensor, seed: int = 0) -> Directions:
    return RandomCoordinates(directions)(last_step(like), None, seeded(seed))[0]


def test_directions_are_distinct_coordinates_of_length_sqrt_d(dtype: torch.dtype) -> None:
    found = drawn(4, torch.zeros(50, 6, dtype=dtype))
    assert found.u.dtype == found.std.dtype == dtype
    coordinates = found.u != 0
    assert (coordinates.sum(dim=-1) == 1).all()
    assert (coordinates.sum(dim=1) <= 1).all(), "without replacement"
    assert torch.allclose(found.u[coordinates], torch.tensor(math.sqrt(6), dtype=dtype))
    assert found.reach * math.sqrt(6) == pytest.approx(1)
    assert torch.equal(found.penalty, torch.zeros(50, dtype=dtype))
    assert len({tuple(row.flatten().tolist()) for row in coordinates}) > 40, "one draw an instance"


def test_the_covariance_is_the_identity() -> None:
    """A coordinate is among Q of D with probability Q/D: its count is binomial."""
    samples, dimension, directions = 20_000, 5, 2
    u = drawn(directions, torch.zeros(samples, dimension).double()).u
    covariance = torch.einsum("bqd,bqe->de", u, u) / (samples * directions)
    assert torch.equal(covariance, covariance.diag().diag()), "coordinates do not mix"
    p = directions / dimension
    standard_error = math.sqrt((1 - p) / (p * samples))
    assert ((covariance.diag() - 1).abs() <= 4 * standard_error).all()


def test_all_coordinates_are_the_basis() -> None:
    u = drawn(3, torch.zeros(4, 3).double()).u
    assert torch.allclose(u.transpose(1, 2) @ u / 3, torch.eye(3).double().expand(4, 3, 3))


def test_steps_draw_anew() -> None:
    like = torch.zeros(2, 30)
    sampling, generator = RandomCoordinates(5), seeded()
    first, second = (sampling(last_step(like), None, generator)[0].u for _ in range(2))
    assert not torch.equal(first, second)


def test_more_directions_than_coordinates_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"directions=4: .* 3 coordinates"):
        drawn(4, torch.zeros(2, 3))

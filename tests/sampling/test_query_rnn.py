"""QueryRNN: norm, covariance, Bernoulli mixing and gradient flow (ZO-L2L section 3.1)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.doubles import GivenNormals, last_step
from tests.problems import normal, seeded
from zol2l.errors import InvalidInput
from zol2l.sampling import QueryRNN
from zol2l.sampling.query_rnn import normalized_std
from zol2l.types import Directions


def lively(directions: int, mixing: float = 1.0, dtype: torch.dtype = torch.float64) -> QueryRNN:
    """A QueryRNN in evaluation mode, always the same, that predicts far from the identity."""
    torch.manual_seed(3)
    rule = QueryRNN(directions, hidden=4, mixing=mixing).to(dtype)
    rule.rnn.readout.weight.data.mul_(50)
    return rule.eval()


def draw(rule: QueryRNN, instances: int, dimension: int, seed: int = 1) -> Directions:
    dtype = rule.rnn.readout.weight.dtype
    gradient = 3 * normal(instances, dimension, seed=seed, dtype=dtype)
    last = last_step(gradient, normal(instances, dimension, seed=seed + 1, dtype=dtype))
    return rule(last, rule.init(gradient), seeded(seed))[0]


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_std_has_the_norm_of_the_identity(dimension: int, dtype: torch.dtype) -> None:
    directions = draw(lively(2, dtype=dtype), 6, dimension)
    norm = torch.full((6,), math.sqrt(dimension), dtype=dtype)
    assert torch.allclose(directions.std.norm(dim=-1), norm, rtol=4 * torch.finfo(dtype).eps)
    assert directions.u.dtype == directions.std.dtype == dtype
    assert dimension == 1 or (directions.std - 1).abs().max() > 0.1, "the identity tests nothing"


def test_std_is_the_absolute_value_of_one_plus_the_output() -> None:
    std = normalized_std(torch.tensor([[-3.0, 0.0, 1.0, -1.0]], dtype=torch.float64))
    expected = torch.tensor([[2.0, 1.0, 2.0, 0.0]], dtype=torch.float64) * (2 / 3)
    assert torch.allclose(std, expected, rtol=1e-15)


def test_directions_have_the_predicted_covariance() -> None:
    samples = 20_000
    directions = draw(lively(samples), 2, 3)
    u, std = directions.u, directions.std
    covariance = torch.einsum("bqd,bqe->bde", u, u) / samples
    scale = std[:, :, None] * std[:, None]
    standard_error = scale * (2 / samples) ** 0.5
    assert ((covariance - torch.diag_embed(std.square())).abs() <= 4 * standard_error).all()
    assert (u.mean(dim=1).abs() <= 4 * std * samples**-0.5).all()


def is_identity(std: Tensor) -> Tensor:
    return (std == 1).all(dim=-1)


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5, 1.0])
def test_the_prediction_is_used_with_the_mixing_probability(probability: float) -> None:
    """Drawn once for each instance: a row of std is the prediction or the identity, never both."""
    instances = 4000
    std = draw(lively(1, mixing=probability), instances, 3).std
    predicted = draw(lively(1, mixing=1.0), instances, 3).std
    identity = is_identity(std)
    assert torch.equal(std[~identity], predicted[~identity])
    frequency = 1 - identity.double().mean().item()
    standard_error = math.sqrt(probability * (1 - probability) / instances)
    assert abs(frequency - probability) <= 4 * standard_error


def test_mixing_is_drawn_anew_each_step() -> None:
    rule = lively(1, mixing=0.5)
    last = last_step(normal(200, 3, seed=4))
    generator, state = seeded(5), rule.init(last.gradient)
    first, state = rule(last, state, generator)
    second, _ = rule(last, state, generator)
    differ = is_identity(first.std) != is_identity(second.std)
    assert abs(differ.double().mean().item() - 0.5) <= 4 * math.sqrt(0.25 / 200)


def test_training_always_uses_the_prediction() -> None:
    rule = lively(1, mixing=0.0)
    assert is_identity(draw(rule, 50, 3).std).all()
    assert not is_identity(draw(rule.train(), 50, 3).std).any()


def test_the_penalty_is_the_squared_norm_of_the_output() -> None:
    rule = lively(1)
    rule.normalize = False
    last = last_step(normal(4, 3, seed=6), normal(4, 3, seed=7))
    inputs = torch.stack([last.gradient, last.delta], dim=-1)
    output, _ = rule.rnn(inputs, rule.init(last.gradient))
    directions, _ = rule(last, rule.init(last.gradient), seeded())
    assert torch.allclose(directions.penalty, output.square().sum(dim=-1), rtol=1e-14)


def test_inputs_are_detached() -> None:
    gradient, delta = normal(2, 3, seed=8).requires_grad_(), normal(2, 3, seed=9).requires_grad_()
    rule = lively(2).train()
    _, state = rule(last_step(gradient, delta), rule.init(gradient), seeded())
    directions, _ = rule(last_step(gradient, delta), state, seeded())
    (directions.u.sum() + directions.penalty.sum()).backward()
    assert gradient.grad is None
    assert delta.grad is None
    assert all(weight.grad.abs().max() > 0 for weight in rule.parameters())


def test_directions_are_reparameterized() -> None:
    """u = std z with z independent of the weights: d<w, u>/dstd = sum_q w z."""
    z, weight = normal(1, 2, 5, 3, seed=10), normal(2, 5, 3, seed=11)
    rule = GivenNormals(5).double().train().use(z)
    last = last_step(normal(2, 3, seed=12))
    directions, _ = rule(last, rule.init(last.gradient), seeded())
    assert torch.equal(directions.u, directions.std[:, None] * z[0])
    objective = (directions.u * weight).sum()
    (slope,) = torch.autograd.grad(objective, directions.std)
    assert torch.allclose(slope, (weight * z[0]).sum(dim=1), rtol=1e-14)


def test_normalized_inputs_make_the_prediction_independent_of_their_scale() -> None:
    """Gradient estimate and update are each divided by their root mean square, per instance."""
    rule = lively(2)
    gradient, delta = normal(3, 5, seed=13), normal(3, 5, seed=14)
    scale = torch.tensor([[1e-3], [1.0], [1e4]], dtype=torch.float64)

    def std(normalize: bool, *inputs: Tensor) -> Tensor:
        rule.normalize = normalize
        return rule(last_step(*inputs), rule.init(gradient), seeded())[0].std

    plain = std(True, gradient, delta)
    assert torch.allclose(std(True, scale * gradient, delta / scale), plain, rtol=1e-6)
    assert not torch.allclose(
        std(False, scale * gradient, delta / scale), std(False, gradient, delta)
    )
    unit = [x / x.square().mean(dim=1, keepdim=True).sqrt() for x in (gradient, delta)]
    assert torch.allclose(plain, std(False, *unit), rtol=1e-9)
    nothing = torch.zeros_like(gradient)
    assert torch.equal(std(True, nothing, nothing), torch.ones_like(nothing))


@pytest.mark.parametrize("mixing", [-0.1, 1.1, math.nan])
def test_a_mixing_that_is_no_probability_is_refused(mixing: float) -> None:
    with pytest.raises(InvalidInput, match=r"mixing"):
        QueryRNN(mixing=mixing)

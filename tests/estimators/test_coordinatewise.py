"""Coordinatewise gradients: those of autograd, in chunks that fit, and fit for meta-training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.problems import Breaking, Recorded, normal, quadratic, seeded
from tests.test_oracle import attack
from zol2l.errors import InvalidInput
from zol2l.estimators import CoordinatewiseGradient, Estimator
from zol2l.meta_gradient import attached_loss, autograd_gradient
from zol2l.optimizees import BinaryClassification, FunctionOptimizee, sample_datasets
from zol2l.optimizer import ComposedOptimizer, iterate
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling
from zol2l.types import Directions, Evaluation, GradientEstimate, Optimizee
from zol2l.updates import UpdateRNN

B, D = 3, 6


def smooth(x: Tensor) -> Tensor:
    """Coupled coordinates, all derivatives bounded."""
    return (x.sin() * x.roll(1, dims=-1).cos()).sum(dim=-1) + x.square().sum(dim=-1)


def smooth_problem(seed: int = 4) -> FunctionOptimizee:
    return FunctionOptimizee(smooth, normal(B, D, seed=seed))


PROBLEMS = {
    "smooth": smooth_problem,
    "attack": lambda: attack(B),
    "classification": lambda: BinaryClassification(
        sample_datasets(B, 30, D, 0, torch.float64), torch.arange(B), 4
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_is_autograds_to_1e_6_in_float64(name: str) -> None:
    problem = PROBLEMS[name]()
    theta = 0.3 * normal(B, D, seed=5)
    value, gradient = CoordinatewiseGradient()(problem, theta)
    expected_value, expected = autograd_gradient(problem, theta)
    assert torch.equal(value, expected_value)
    assert expected.abs().max() > 1e-2
    assert (gradient - expected).abs().max() < 1e-6


@pytest.mark.parametrize("mu", [1e-3, 1.0, 10.0])
def test_it_is_exact_on_quadratics_for_every_mu(mu: float, dtype: torch.dtype) -> None:
    problem, theta = quadratic(B, D, dtype), normal(B, D, seed=6, dtype=dtype)
    _, gradient = CoordinatewiseGradient(mu)(problem, theta)
    exact = problem.curvature * (theta - problem.optimum)
    values = problem(theta[:, None]).loss + mu * exact.abs() + mu**2
    rounding = 8 * torch.finfo(dtype).eps * values / mu
    assert ((gradient - exact).abs() <= rounding).all()


def test_probes_stand_mu_away_along_each_coordinate_and_cost_2d_plus_1() -> None:
    problem, theta = Recorded(quadratic(B, D)), normal(B, D, seed=6)
    CoordinatewiseGradient(0.25, chunk=None)(problem, theta)
    assert problem.counts(B).tolist() == [2 * D + 1] * B
    centre, probes = problem.calls
    assert torch.equal(centre.theta[:, 0], theta)
    steps = 0.25 * torch.cat([torch.eye(D), -torch.eye(D)]).double()
    assert torch.allclose(probes.theta - theta[:, None], steps.expand(B, -1, -1), atol=1e-15)


@pytest.mark.parametrize("chunk", [1, 2, 5, 6, 7, 12, 13, 30, 36, 1000])
def test_chunks_change_nothing_and_no_call_exceeds_them(chunk: int) -> None:
    problem, theta = Recorded(smooth_problem()), normal(B, D, seed=7)
    whole = CoordinatewiseGradient(chunk=None)(smooth_problem(), theta)
    chunked = CoordinatewiseGradient(chunk=chunk)(problem, theta)
    assert torch.equal(chunked[0], whole[0])
    assert torch.allclose(chunked[1], whole[1], rtol=1e-12, atol=1e-9)
    assert problem.counts(B).tolist() == [2 * D + 1] * B
    assert max(call.theta.shape[0] * call.theta.shape[1] for call in problem.calls) <= chunk


def test_memory_holds_a_chunk_and_never_all_points(monkeypatch: pytest.MonkeyPatch) -> None:
    largest, original = 0, Tensor.repeat

    def spy(self: Tensor, *sizes: int) -> Tensor:
        nonlocal largest
        result = original(self, *sizes)
        largest = max(largest, result.numel())
        return result

    monkeypatch.setattr(Tensor, "repeat", spy)
    problem = quadratic(2, 400)
    CoordinatewiseGradient(chunk=40)(problem, problem.start())
    assert largest == 40 * 400


def test_the_default_mu_is_the_problems_for_the_dtype(dtype: torch.dtype) -> None:
    problem = FunctionOptimizee(smooth, normal(B, D, seed=4, dtype=dtype))
    theta, mu = problem.start(), problem.smoothing[dtype]
    default = CoordinatewiseGradient()(problem, theta)[1]
    assert torch.equal(default, CoordinatewiseGradient(mu)(problem, theta)[1])
    assert not torch.equal(default, CoordinatewiseGradient(2 * mu)(problem, theta)[1])


def test_small_steps_are_as_long_as_they_are_rounded() -> None:
    """At theta = 1000 float32 has steps of 6e-5: mu = 1e-4 is rounded by up to 30 %."""
    slope = torch.tensor([[1.0, -2.0]])
    problem = FunctionOptimizee(lambda x: ((x - 1000) * slope).sum(dim=-1), slope)
    theta = 1000 + 1e-3 * slope
    ahead = theta + 1e-4
    assert ((ahead - theta) / 1e-4 - 1).abs().max() > 0.1
    assert torch.allclose(CoordinatewiseGradient(1e-4)(problem, theta)[1], slope, rtol=1e-5)


def test_nothing_is_attached_and_no_gradient_is_asked_for() -> None:
    def needs_no_grad(x: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        assert not x.requires_grad
        return torch.from_numpy(x.numpy() ** 2).sum(dim=-1)

    theta = normal(B, D, seed=8).requires_grad_()
    problem = FunctionOptimizee(needs_no_grad, theta.detach())
    value, gradient = CoordinatewiseGradient()(problem, theta)
    assert not value.requires_grad
    assert not gradient.requires_grad
    assert torch.allclose(gradient, 2 * theta.detach(), rtol=1e-6)
    with pytest.raises(InvalidInput, match=r"meta_gradient=autograd: .*coordinatewise"):
        autograd_gradient(FunctionOptimizee(lambda x: x.detach().sum(dim=-1), theta), theta)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("gradient", [autograd_gradient, CoordinatewiseGradient()])
def test_a_broken_instance_has_no_slope_and_the_others_theirs(gradient: Any, value: float) -> None:
    """As with autograd: its loss is visibly broken, its slope zero."""
    theta = normal(B, D, seed=9).requires_grad_()
    problem = Breaking(quadratic(B, D), row=1, step=0, value=value)
    loss = attached_loss(problem, theta, gradient)
    assert loss.isfinite().tolist() == [True, False, True]
    (slope,) = torch.autograd.grad(torch.where(loss.isfinite(), loss, 0).sum(), theta)
    exact = quadratic(B, D).curvature * (theta.detach() - quadratic(B, D).optimum)
    assert torch.equal(slope[1], torch.zeros(D).double())
    assert torch.allclose(slope[[0, 2]], exact[[0, 2]], rtol=1e-7)


class GivenEstimates(Estimator):
    """What was seen is held constant, as the meta-gradient holds it: given (T, B, D), in order."""

    def __init__(self, given: Tensor) -> None:
        super().__init__()
        self.given = given

    def queries(self, directions: int, state: Any) -> int:
        return 0

    def init(self, theta: Tensor) -> Tensor:
        return torch.zeros(len(theta), dtype=torch.int64)

    def forward(
        self,
        oracle: Oracle,
        theta: Tensor,
        directions: Directions,
        state: Tensor,
        generator: torch.Generator,
    ) -> tuple[GradientEstimate, Tensor]:
        given = self.given[int(state.max())]
        return GradientEstimate(given, Evaluation(given[:, :1])), state + 1


def test_gradcheck_of_the_meta_gradient_of_a_short_unroll() -> None:
    """torch's own finite differences in all weights of UpdateRNN, of sum_t t f(theta_t).

    Here f's derivative errs by mu^2/6 |f'''| + eps |f| / mu < 1e-9 at mu = 1e-4, and gradcheck's
    own differences (step 1e-6) by about 1e-9: tolerances of 1e-7 leave room for the sums.
    """
    steps, problem = 4, smooth_problem()
    rule = UpdateRNN(hidden=2).double()
    rule.rnn.readout.weight.data.mul_(10)
    estimates = GivenEstimates(normal(steps, B, D, seed=10))
    optimizer = ComposedOptimizer(GaussianSampling(1), estimates, rule)

    def objective(*weights: Tensor) -> Tensor:
        return unrolled(optimizer, problem, steps)

    weights = tuple(rule.parameters())
    slopes = torch.autograd.grad(objective(*weights), weights)
    assert all(slope.abs().max() > 1e-2 for slope in slopes), "a vanishing gradient proves nothing"
    assert torch.autograd.gradcheck(objective, weights, eps=1e-6, atol=1e-7, rtol=1e-7)


def unrolled(optimizer: ComposedOptimizer, problem: Optimizee, steps: int) -> Tensor:
    """sum_t t f(theta_t) over instances, with coordinatewise derivatives of f."""
    gradient, total = CoordinatewiseGradient(1e-4), torch.zeros(()).double()
    start = optimizer.init(problem.start())
    history = iterate(optimizer, Oracle(problem), start, steps, seeded())
    for t, (state, _) in enumerate(history, start=1):
        total = total + t * attached_loss(problem, state.theta, gradient).sum()
    return total


@pytest.mark.parametrize("change", [{"smoothing": 0.0}, {"smoothing": -1.0}, {"chunk": 0}])
def test_bad_settings_are_refused_by_name(change: dict) -> None:
    (name,) = change
    with pytest.raises(InvalidInput, match=rf"{name}={change[name]}"):
        CoordinatewiseGradient(**change)

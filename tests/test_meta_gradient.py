"""The meta-gradient of a short unroll equals finite differences of its own objective.

The method holds finite differences of the optimizee constant (they are a black box's answers), so
the objective to differentiate is a replay: the recorded differences and network inputs stay fixed,
and only the written-out path from the weights to the iterates is recomputed (float64).
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.problems import Breaking, normal, quadratic, seeded
from zol2l.estimators import ForwardDifference
from zol2l.meta_gradient import attached_loss, autograd_gradient
from zol2l.networks.recurrent import CoordinatewiseLSTM
from zol2l.optimizees import Quadratic
from zol2l.optimizer import ComposedOptimizer, Seen, State, iterate
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.types import Optimizee
from zol2l.updates import SGD, Update, UpdateRNN

B, D, Q, T, HIDDEN = 2, 3, 2, 4, 2
LAMBDA = 0.3


def cell(weights: list[Tensor], x: Tensor, memory: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """An LSTM step written out: inputs (B, D, I), memory h and c (B, D, H) -> output, h, c."""
    w_ih, w_hh, readout = weights
    i, f, g, o = (x @ w_ih.T + memory[0] @ w_hh.T).chunk(4, dim=-1)
    c = f.sigmoid() * memory[1] + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h @ readout.T)[..., 0], h, c


def empty_memory() -> tuple[Tensor, Tensor]:
    zeros = torch.zeros(B, D, HIDDEN, dtype=torch.float64)
    return zeros, zeros


def lively(rule: nn.Module) -> nn.Module:
    rule.double().train()
    rule.rnn.readout.weight.data.mul_(10)
    return rule


def unroll(optimizer: ComposedOptimizer, problem: Optimizee) -> tuple[Tensor, list]:
    """Objective sum_t t f(theta_t) + lambda penalty_t, (B,), and what each step saw and left."""
    history: list[tuple[State, Seen]] = []
    start, objective = optimizer.init(problem.start()), torch.zeros(problem.instances).double()
    for state, seen in iterate(optimizer, Oracle(problem), start, T, seeded(3)):
        history.append((state, seen))
        value = attached_loss(problem, state.theta)
        objective = objective + len(history) * value + LAMBDA * seen.directions.penalty
    return objective, history


def weights_of(rnn: CoordinatewiseLSTM) -> list[Tensor]:
    return [rnn.cell.weight_ih, rnn.cell.weight_hh, rnn.readout.weight]


def finite_differences(objective, weights: list[Tensor], step: float = 1e-5) -> list[Tensor]:
    """Central differences of objective(weights) in every single weight."""
    slopes = []
    for k, weight in enumerate(weights):
        slope = torch.zeros_like(weight)
        for index in range(weight.numel()):
            values = []
            for sign in (1, -1):
                moved = [w.detach().clone() for w in weights]
                moved[k].view(-1)[index] += sign * step
                values.append(objective(moved))
            slope.view(-1)[index] = (values[0] - values[1]) / (2 * step)
        slopes.append(slope)
    return slopes


def assert_gradient(objective: Tensor, replay, weights: list[Tensor]) -> None:
    assert replay([w.detach() for w in weights]) == pytest.approx(objective.item(), rel=1e-12)
    ours = torch.autograd.grad(objective, weights)
    for mine, theirs in zip(ours, finite_differences(replay, weights), strict=True):
        assert mine.abs().max() > 1e-4, "a vanishing gradient proves nothing"
        assert torch.allclose(mine, theirs, rtol=1e-6, atol=1e-8), (mine, theirs)


def test_update_stage() -> None:
    problem, rule = quadratic(B, D), lively(UpdateRNN(HIDDEN))
    objective, history = unroll(
        ComposedOptimizer(GaussianSampling(Q), ForwardDifference(), rule), problem
    )
    estimates = [seen.estimate.gradient.detach() for _, seen in history]

    def replay(weights: list[Tensor]) -> float:
        theta, memory, total = problem.start(), empty_memory(), 0.0
        for t, gradient in enumerate(estimates, start=1):
            delta, *memory = cell(weights, gradient[..., None], memory)
            theta = theta + delta
            total += t * problem(theta[:, None]).loss.sum().item()
        return total

    assert_gradient(objective.sum(), replay, weights_of(rule.rnn))


@pytest.mark.parametrize("update", ["sgd", "update_rnn"])
def test_sampling_stage(update: str) -> None:
    problem, rule = quadratic(B, D), lively(QueryRNN(Q, HIDDEN, normalize=False))
    move: Update = SGD(1.0) if update == "sgd" else lively(UpdateRNN(HIDDEN))
    move.requires_grad_(False)
    objective, history = unroll(ComposedOptimizer(rule, ForwardDifference(), move), problem)
    normals, differences, inputs = [], [], [torch.zeros(B, D, 2, dtype=torch.float64)]
    for state, seen in history:
        u = seen.directions.u.detach()
        normals.append(u / seen.directions.std[:, None].detach())
        # with Q < D directions in general position the differences follow from the estimate
        weighted = torch.linalg.lstsq(u.transpose(1, 2), Q * seen.estimate.gradient.detach())
        differences.append(weighted.solution)
        inputs.append(torch.stack([state.last.gradient, state.last.delta], dim=-1))

    def replay(weights: list[Tensor]) -> float:
        theta, query, mover, total = problem.start(), empty_memory(), empty_memory(), 0.0
        for t in range(T):
            output, *query = cell(weights, inputs[t], query)
            std = (1 + output).abs()
            std = std * D**0.5 / std.square().sum(dim=-1, keepdim=True).sqrt()
            gradient = (differences[t][..., None] * std[:, None] * normals[t]).mean(dim=1)
            if update == "sgd":
                delta = -gradient / D
            else:
                delta, *mover = cell(weights_of(move.rnn), gradient[..., None], mover)
            theta = theta + delta
            total += (t + 1) * problem(theta[:, None]).loss.sum().item()
            total += LAMBDA * output.square().sum().item()
        return total

    assert_gradient(objective.sum(), replay, weights_of(rule.rnn))


def test_autograd_gradient_is_the_analytic_one_and_detached(dtype: torch.dtype) -> None:
    problem = quadratic(B, D, dtype)
    theta = normal(B, D, seed=4, dtype=dtype).requires_grad_()
    value, gradient = autograd_gradient(problem, theta)
    gap = theta.detach() - problem.optimum
    tolerance = 10 * torch.finfo(dtype).eps
    expected = 0.5 * (problem.curvature * gap**2).sum(dim=-1)
    assert torch.allclose(value, expected, rtol=tolerance)
    assert torch.allclose(gradient, problem.curvature * gap, rtol=tolerance)
    assert not value.requires_grad
    assert not gradient.requires_grad
    assert theta.grad is None
    with torch.no_grad():
        assert torch.equal(autograd_gradient(problem, theta)[1], gradient)


def test_attached_loss_has_the_value_of_f_and_the_given_slope() -> None:
    problem, slope = quadratic(B, D), normal(B, D, seed=5)
    theta = normal(B, D, seed=6).requires_grad_()
    loss = attached_loss(problem, theta, lambda f, x: (f(x[:, None]).loss[:, 0].detach(), slope))
    assert torch.equal(loss.detach(), problem(theta[:, None]).loss[:, 0].detach())
    weight = normal(B, seed=7)
    (got,) = torch.autograd.grad((loss * weight).sum(), theta)
    assert torch.allclose(got, weight[:, None] * slope, rtol=1e-15)


def test_a_broken_loss_has_no_slope() -> None:
    nan = torch.full((B, D), torch.nan, dtype=torch.float64)
    theta = normal(B, D).requires_grad_()
    loss = attached_loss(Quadratic(nan, nan), theta)
    assert loss.isnan().all()
    (slope,) = torch.autograd.grad(torch.where(loss.isfinite(), loss, 0).sum(), theta)
    assert torch.equal(slope, torch.zeros(B, D, dtype=torch.float64))


@pytest.mark.parametrize("stage", ["update", "sampling"])
def test_a_broken_instance_leaves_the_meta_gradient_of_the_others(stage: str) -> None:
    rule = lively(UpdateRNN(HIDDEN) if stage == "update" else QueryRNN(Q, HIDDEN, normalize=False))
    parts = (GaussianSampling(Q), rule) if stage == "update" else (rule, SGD(1.0))
    optimizer = ComposedOptimizer(parts[0], ForwardDifference(), parts[1])
    slopes = []
    for problem in (quadratic(B, D), Breaking(quadratic(B, D), row=1, step=2)):
        objective, _ = unroll(optimizer, problem)
        kept = objective[:1].sum()
        slopes.append(torch.autograd.grad(kept, weights_of(rule.rnn)))
    for healthy, broken in zip(*slopes, strict=True):
        assert torch.allclose(broken, healthy, rtol=1e-12)

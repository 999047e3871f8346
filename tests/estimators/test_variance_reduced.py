"""ZO-SZVR-G's estimate: unbiased, exact at a snapshot, quieter near it, one minibatch a step."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.contracts import classification
from tests.problems import Linear, Recorded, normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.estimators import ForwardDifference, VarianceReduced
from zol2l.optimizer import ComposedOptimizer, iterate
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.types import Directions, Optimizee
from zol2l.updates import SGD

B, D, Q, EPOCH, SNAPSHOT = 3, 5, 4, 3, 7


def gaussian(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Directions:
    return Directions.standard(normal(*shape, seed=seed, dtype=dtype))


def two_steps(estimator: VarianceReduced, problem: Optimizee, start: Tensor, then: Tensor):
    """The estimates at `start`, where the snapshot is taken, and at `then`; the states after."""
    oracle, state, generator, found = Oracle(problem), estimator.init(start), seeded(9), []
    for step, theta in enumerate((start, then)):
        u = gaussian(*theta.shape[:1], Q, theta.shape[1], seed=step, dtype=theta.dtype)
        estimate, state = estimator(oracle, theta, u, state, generator)
        found.append((estimate, state))
    return found


@pytest.mark.parametrize("mu", [1e-3, 1.0, 100.0])
def test_it_is_unbiased_on_linear_functions_with_the_snapshots_variance(
    mu: float, dtype: torch.dtype
) -> None:
    """E g = a and Var g_i = (||a||^2 + a_i^2) / q', over 40,000 instances, in both steps: on a
    linear function the two points' differences are the same, wherever they are.
    """
    samples = 40_000
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=dtype).repeat(samples, 1)
    moved = normal(samples, 3, seed=3, dtype=dtype)
    a = slope[0].double()
    variance = (a.square().sum() + a.square()) / 2
    estimator = VarianceReduced(EPOCH, 2, mu)
    for estimate, _ in two_steps(estimator, Linear(slope), torch.zeros_like(slope), moved):
        gradient = estimate.gradient.double()
        # float32 at mu = 1e-3 rounds values of size 4 to a thousandth of a difference
        rounding = torch.finfo(dtype).eps * 20 / mu / samples**0.5
        error = (gradient.mean(dim=0) - a).abs()
        assert (error <= 4 * (variance / samples).sqrt() + rounding).all()
        assert torch.allclose(gradient.var(dim=0), variance, rtol=0.05)


@pytest.mark.parametrize("problem", [quadratic(B, D), classification()])
def test_the_first_step_of_an_epoch_is_the_snapshots_estimate(problem: Optimizee) -> None:
    optimizer = ComposedOptimizer(GaussianSampling(Q), VarianceReduced(EPOCH, SNAPSHOT), SGD(1.0))
    state, seen_at = optimizer.init(problem.start()), []
    for after, seen in iterate(optimizer, Oracle(problem, chunk=3), state, 7, seeded()):
        equal = torch.equal(seen.estimate.gradient, after.estimator.gradient)
        taken_here = torch.equal(after.estimator.theta, state.theta)
        assert equal == taken_here
        seen_at += [equal]
        state = after
    assert seen_at == [True, False, False, True, False, False, True]


def test_the_estimate_is_the_formula() -> None:
    problem, estimator = quadratic(B, D), VarianceReduced(EPOCH, SNAPSHOT, smoothing=0.1)
    start, then = normal(B, D, seed=4), normal(B, D, seed=5)
    (_, taken), (estimate, state) = two_steps(estimator, problem, start, then)
    plain = ForwardDifference(0.1)
    fresh = torch.randn(B, SNAPSHOT, D, generator=seeded(9), dtype=torch.float64)

    def g(theta: Tensor, directions: Directions) -> Tensor:
        return plain(Oracle(problem), theta, directions, None, seeded())[0].gradient

    u = gaussian(B, Q, D, seed=1)
    snapshot = g(start, Directions.standard(fresh))
    assert torch.equal(taken.gradient, snapshot)
    assert torch.equal(state.theta, start)
    assert torch.allclose(estimate.gradient, g(then, u) - g(start, u) + snapshot, rtol=1e-12)
    assert torch.equal(estimate.base.loss, problem(then[:, None]).loss)


@pytest.mark.parametrize("distance", [0.0, 0.01, 0.1])
def test_near_the_snapshot_it_is_quieter_than_the_plain_estimate(distance: float) -> None:
    """Mean squared error over 5,000 instances of one quadratic, against its true gradient. Plain:
    about (D + 1)/Q ||g||^2; variance-reduced: about (D + 1)/q' ||g||^2 + O(distance^2).
    """
    samples, many = 5000, 10 * Q
    one = quadratic(1, D)
    problem, start = one[torch.zeros(samples).long()], normal(1, D, seed=6).repeat(samples, 1)
    then = start + distance
    truth = one.curvature * (then - one.optimum)
    (_, _), (ours, _) = two_steps(VarianceReduced(EPOCH, many), problem, start, then)
    u = gaussian(samples, Q, D, seed=1)
    plain, _ = ForwardDifference()(Oracle(problem), then, u, None, seeded())
    errors = [(e.gradient - truth).square().sum(dim=-1).mean() for e in (ours, plain)]
    norm = truth[0].square().sum()
    assert errors[1] == pytest.approx(float((D + 1) / Q * norm), rel=0.1)
    spread = one.curvature.square().sum() * distance**2 * (D + 1) / Q
    assert errors[0] == pytest.approx(float((D + 1) / many * norm + spread), rel=0.1)
    assert errors[0] < 0.2 * errors[1]


def test_an_epoch_costs_what_the_paper_says() -> None:
    """q = 20, q' = 100, epochs of 10: 101 + 10 * 2 * 21 queries each (FACTS; appendix C.4)."""
    problem = Recorded(quadratic(2, D))
    optimizer = ComposedOptimizer(GaussianSampling(20), VarianceReduced(), SGD(1.0))
    trajectory = run(optimizer, Oracle(problem), 20, seeded())
    assert problem.counts(2).tolist() == [2 * (101 + 420) + 1] * 2
    assert trajectory.queries[0, [0, 1, 2, 10, 11, 20]].tolist() == [1, 144, 186, 522, 665, 1043]


def test_a_steps_queries_share_its_minibatch() -> None:
    problem = Recorded(classification())
    optimizer = ComposedOptimizer(GaussianSampling(Q), VarianceReduced(EPOCH, SNAPSHOT), SGD(1.0))
    oracle, state, batches = Oracle(problem, chunk=None), optimizer.init(problem.start()), []
    points = []
    for _ in iterate(optimizer, oracle, state, EPOCH + 1, seeded()):
        drawn = [call.samples for call in problem.calls]
        assert all(torch.equal(samples, drawn[0]) for samples in drawn)
        batches.append(drawn[0])
        points.append([call.theta.shape[1] for call in problem.calls])
        problem.calls.clear()
    both = [Q + 1, Q + 1]
    assert points == [[SNAPSHOT + 1, *both], both, both, [SNAPSHOT + 1, *both]]
    assert all(not torch.equal(batches[0], other) for other in batches[1:])


def test_instances_at_different_steps_take_their_snapshots_each_at_its_own() -> None:
    """Staggered meta-training joins them; what one does costs the other nothing."""
    problem, estimator = Recorded(quadratic(B, D)), VarianceReduced(EPOCH, SNAPSHOT)
    theta, oracle = normal(B, D, seed=4), Oracle(problem)
    state = replace(estimator.init(normal(B, D, seed=5)), step=torch.tensor([1, 3, 5]))
    inner = 2 * (Q + 1)
    assert estimator.queries(Q, state).tolist() == [inner, inner + SNAPSHOT + 1, inner]
    _, after = estimator(oracle, theta, gaussian(B, Q, D, seed=1), state, seeded())
    assert problem.counts(B).tolist() == [inner, inner + SNAPSHOT + 1, inner]
    assert oracle.active.all()
    assert torch.equal(after.theta[1], theta[1])
    assert torch.equal(after.theta[[0, 2]], state.theta[[0, 2]])
    assert torch.equal(after.gradient[[0, 2]], state.gradient[[0, 2]])
    assert after.gradient[1].abs().min() > 0
    assert after.step.tolist() == [2, 4, 6]


def test_a_stopped_instance_draws_no_snapshot_and_moves_no_random_number() -> None:
    """It stays at the step where it was stopped, here the first of an epoch."""
    estimator, generators = VarianceReduced(EPOCH, SNAPSHOT), (seeded(), seeded())
    theta, oracle = normal(B, D, seed=4), Oracle(quadratic(B, D))
    state = replace(estimator.init(theta), step=torch.tensor([1, 0, 1]))
    oracle.stop(torch.tensor([False, True, False]))
    estimator(oracle, theta, gaussian(B, Q, D, seed=1), state, generators[0])
    assert torch.equal(*(g.get_state() for g in generators))


def test_learned_directions_get_gradients_and_the_memory_holds_no_graph() -> None:
    torch.manual_seed(0)
    optimizer = ComposedOptimizer(QueryRNN(Q), VarianceReduced(EPOCH, SNAPSHOT), SGD(1.0)).double()
    problem = quadratic(B, D)
    start = optimizer.init(problem.start())
    states = [s for s, _ in iterate(optimizer, Oracle(problem), start, 5, seeded())]
    memory = states[-1].estimator
    assert not memory.theta.requires_grad
    assert not memory.gradient.requires_grad
    states[-1].theta.sum().backward()
    assert all(p.grad.abs().max() > 0 for p in optimizer.sampling.parameters())


@pytest.mark.parametrize("change", [{"epoch": 0}, {"snapshot_directions": 0}, {"smoothing": -1.0}])
def test_bad_settings_are_refused_by_name(change: dict) -> None:
    (name,) = change
    with pytest.raises(InvalidInput, match=rf"{name}={change[name]}"):
        VarianceReduced(**change)

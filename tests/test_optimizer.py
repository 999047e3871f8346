"""A batch of B is B batches of one; the composition does what its formula says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.doubles import GivenDirections, GivenNormals
from tests.problems import Boxed, normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.estimators import ForwardDifference
from zol2l.machine import memory
from zol2l.optimizer import ComposedOptimizer, iterate
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, Sampling
from zol2l.types import Optimizee
from zol2l.updates import SGD, Adam, SignSGD, Update, UpdateRNN

T, B, Q, D = 6, 4, 3, 5
DRAWS = normal(T, B, Q, D, seed=1)


def given_directions(rows: slice) -> Sampling:
    return GivenDirections(DRAWS[:, rows])


def given_normals(rows: slice) -> Sampling:
    torch.manual_seed(1)
    return GivenNormals(Q).double().train().use(DRAWS[:, rows])


SAMPLINGS = {"given": given_directions, "query_rnn": given_normals}
UPDATES = {
    "sgd": lambda: SGD(1.0),
    "sign_sgd": lambda: SignSGD(0.3),
    "adam": lambda: Adam(0.5),
    "update_rnn": lambda: UpdateRNN().double(),
}


def unroll(sampling: Sampling, update: Update, problem: Optimizee) -> Tensor:
    """Iterates (T, B, D)."""
    torch.manual_seed(2)
    optimizer = ComposedOptimizer(sampling, ForwardDifference(), update)
    state = optimizer.init(problem.start())
    states = [s for s, _ in iterate(optimizer, Oracle(problem), state, T, seeded())]
    return torch.stack([s.theta for s in states]).detach()


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_batch_equals_batches_of_one_given_the_same_directions(
    sampling: str, update: str
) -> None:
    problem = quadratic(B, D)

    def of(rows: slice) -> Tensor:
        torch.manual_seed(2)
        return unroll(SAMPLINGS[sampling](rows), UPDATES[update](), problem[rows])

    together = of(slice(None))
    singles = torch.cat([of(slice(i, i + 1)) for i in range(B)], dim=1)
    assert torch.allclose(together, singles, rtol=1e-12, atol=1e-12)
    assert (together[-1] - together[0]).abs().min() > 0, "instances that rest prove nothing"


def test_steps_follow_the_formula() -> None:
    """theta <- project(theta - rate/D g) with g the forward difference along the directions."""
    problem, rate, mu = Boxed(quadratic(B, D)), 2.0, 0.1
    theta, expected = problem.start(), []
    for u in DRAWS:
        gradient = torch.zeros(B, D, dtype=torch.float64)
        for q in range(Q):
            points = torch.stack([theta, theta + mu * u[:, q]], dim=1)
            base, probe = problem(points).loss.T
            gradient += ((probe - base) / mu)[:, None] * u[:, q] / Q
        theta = (theta - rate / D * gradient).clamp(-Boxed.bound, Boxed.bound)
        expected.append(theta)
    optimizer = ComposedOptimizer(GivenDirections(DRAWS), ForwardDifference(mu), SGD(rate))
    start, got = optimizer.init(problem.start()), []
    for state, seen in iterate(optimizer, Oracle(problem), start, T, seeded()):
        got.append(state.theta)
        assert torch.equal(state.last.gradient, seen.estimate.gradient)
        assert torch.equal(state.last.delta, -rate / D * seen.estimate.gradient)
    assert torch.allclose(torch.stack(got), torch.stack(expected), rtol=1e-12, atol=1e-12)


def test_stopped_instances_keep_their_whole_state() -> None:
    problem = quadratic(B, D)
    optimizer = ComposedOptimizer(GivenDirections(DRAWS), ForwardDifference(), Adam(0.5))
    oracle = Oracle(problem)
    start = optimizer.init(problem.start())
    before, _ = optimizer.step(start, oracle, seeded())
    oracle.stop(torch.tensor([False, True, False, True]))
    after, _ = optimizer.step(before, oracle, seeded())
    stopped, going = [1, 3], [0, 2]
    assert torch.equal(after.theta[stopped], before.theta[stopped])
    assert torch.equal(after.update.mean[stopped], before.update.mean[stopped])
    assert after.update.step[:, 0].tolist() == [2, 1, 2, 1]
    assert after.sampling.tolist() == [2, 1, 2, 1]
    assert (after.theta[going] != before.theta[going]).all()


def test_the_loop_ends_when_no_instance_can_pay() -> None:
    problem = quadratic(B, D)
    optimizer = ComposedOptimizer(GivenDirections(DRAWS), ForwardDifference(), SGD(1.0))
    assert optimizer.queries(optimizer.init(problem.start())) == Q + 1
    oracle = Oracle(problem, budget=2 * (Q + 1) + 1)
    steps = list(iterate(optimizer, oracle, optimizer.init(problem.start()), T, seeded()))
    assert len(steps) == 2
    assert oracle.loss_queries.tolist() == [2 * (Q + 1)] * B
    assert not oracle.active.any()


def test_a_step_for_which_there_is_no_memory_is_refused_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three tensors (B, Q, D) in float64."""
    optimizer, start = ComposedOptimizer(GaussianSampling(Q), ForwardDifference(), SGD(1.0)), (B, D)
    monkeypatch.setattr(memory, "NEGLIGIBLE", 0)
    needed = 3 * B * Q * D * 8
    monkeypatch.setattr(memory, "available", lambda: needed)
    optimizer.init(torch.zeros(start, dtype=torch.float64))
    monkeypatch.setattr(memory, "available", lambda: needed - 1)
    told = f"dimension={D}: {Q} directions for each of {B} instances .* need 1.4 KiB of memory"
    with pytest.raises(InvalidInput, match=told):
        optimizer.init(torch.zeros(start, dtype=torch.float64))

"""What every optimizer promises, whatever it is made of. `CHECKS` holds the checks by name.

A `Method` builds an optimizer of Q directions; tests/test_contracts.py runs every check on every
method. A new method is tested by adding it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from tests.problems import Boxed, Breaking, Recorded, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import BinaryClassification
from zol2l.optimizees.binary_classification import sample_datasets
from zol2l.optimizer import Optimizer, iterate
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.storage.tensor_files import flatten
from zol2l.trajectory import Trajectory
from zol2l.types import Optimizee

F32, F64 = torch.float32, torch.float64
B, D, Q, STEPS = 3, 5, 4, 8


@dataclass(frozen=True)
class Method:
    """`descends`: whether it must lower a quadratic's loss; untrained learned updates need not.
    `calls(q, step)`: the documented cost, the points of each query of step 0, 1, ... in order.
    `distinct`: whether its directions are distinct coordinates, of which there are D.
    """

    name: str
    build: Callable[[int], Optimizer]
    descends: bool
    calls: Callable[[int, int], tuple[int, ...]] = lambda q, step: (q + 1,)
    distinct: bool = False

    def spent(self, steps: int) -> int:
        """The documented loss queries of the first `steps` steps with Q directions."""
        return sum(sum(self.calls(Q, step)) for step in range(steps))

    def optimizer(self, directions: int = Q, dtype: torch.dtype = F64) -> Optimizer:
        torch.manual_seed(0)
        return self.build(directions).to(dtype)

    def run(self, optimizee: Optimizee, steps: int = STEPS, seed: int = 0) -> Trajectory:
        return run(self.optimizer(), Oracle(optimizee), steps, seeded(seed))


def same(mine: object, theirs: object) -> bool:
    """Bit for bit, NaN equal to NaN."""
    pairs = zip(flatten(mine).values(), flatten(theirs).values(), strict=True)
    return all(torch.equal(a.nan_to_num(7e7), b.nan_to_num(7e7)) for a, b in pairs)


def classification() -> BinaryClassification:
    return BinaryClassification(sample_datasets(B, 30, D, 0, F64), torch.arange(B), 4)


def lowers_the_loss_of_a_quadratic(method: Method) -> None:
    loss = method.run(quadratic(B, D), steps=60).loss
    assert loss.isfinite().all()
    if method.descends:
        assert (loss[:, -1] < 0.2 * loss[:, 0]).all(), (loss[:, 0], loss[:, -1])


def counts_what_it_calls(method: Method) -> None:
    problem = Recorded(quadratic(B, D))
    oracle, optimizer = Oracle(problem, chunk=3), method.optimizer()
    trajectory = run(optimizer, oracle, STEPS, seeded())
    assert oracle.loss_queries.tolist() == [method.spent(STEPS)] * B
    assert oracle.check_queries.tolist() == [1] * B
    assert torch.equal(problem.counts(B), oracle.loss_queries + oracle.check_queries)
    expected = torch.tensor([method.spent(step) + 1 for step in range(STEPS + 1)])
    assert torch.equal(trajectory.queries, expected.expand(B, -1))


def announces_what_the_next_step_costs(method: Method) -> None:
    problem, optimizer = Recorded(quadratic(B, D)), method.optimizer()
    oracle, state, generator = Oracle(problem), optimizer.init(problem.start()), seeded()
    for _ in range(STEPS):
        before = problem.counts(B)
        announced = before + torch.as_tensor(optimizer.queries(state))
        state, _ = optimizer.step(state, oracle, generator)
        assert torch.equal(problem.counts(B), announced)


def never_exceeds_a_budget(method: Method) -> None:
    """Every budget from the smallest one to that of four steps and a query more."""
    for budget in range(method.spent(1) + 1, method.spent(4) + 3):
        problem = Recorded(quadratic(B, D))
        trajectory = run(method.optimizer(), Oracle(problem, budget), STEPS, seeded())
        steps = max(n for n in range(1, 5) if method.spent(n) + 1 <= budget)
        assert problem.counts(B).tolist() == [method.spent(steps) + 1] * B
        assert trajectory.loss.shape == (B, steps + 1)
        assert trajectory.queries.max() <= budget


def step_leaves_its_input_alone(method: Method) -> None:
    optimizer, oracle = method.optimizer(), Oracle(quadratic(B, D))
    start = oracle.optimizee.start()
    state, generator = optimizer.init(start), seeded()
    for _ in range(3):
        before = flatten(state)
        after, _ = optimizer.step(state, oracle, generator)
        assert same(tuple(before.values()), tuple(flatten(state).values()))
        assert not torch.equal(after.theta, state.theta), "a step that does not move tests nothing"
        state = after
    assert torch.equal(start, oracle.optimizee.start())


def keeps_dtype_and_runs_the_smallest_sizes(method: Method) -> None:
    for dtype in (F32, F64):
        for instances, dimension, directions in ((1, D, Q), (B, 1, Q), (B, D, 1), (1, 1, 1)):
            if method.distinct and directions > dimension:
                refuses_more_directions_than_coordinates(method, dimension, directions)
                continue
            optimizer = method.optimizer(directions, dtype)
            problem = quadratic(instances, dimension, dtype)
            oracle = Oracle(problem)
            states = [
                s
                for s, _ in iterate(optimizer, oracle, optimizer.init(problem.start()), 3, seeded())
            ]
            assert states[-1].theta.dtype == dtype
            assert states[-1].theta.shape == (instances, dimension)
            assert states[-1].theta.isfinite().all()
            assert run(optimizer, Oracle(problem), 2, seeded()).loss.dtype == dtype


def refuses_more_directions_than_coordinates(
    method: Method, dimension: int, directions: int
) -> None:
    problem = Recorded(quadratic(B, dimension))
    with pytest.raises(InvalidInput, match=rf"directions={directions}: at most .* {dimension} "):
        run(method.optimizer(directions), Oracle(problem), STEPS, seeded())
    assert problem.calls == []


def a_broken_instance_disturbs_no_other(method: Method) -> None:
    healthy = method.run(quadratic(B, D))
    for value in (torch.nan, torch.inf):
        for point in (0, -1):
            problem = Recorded(Breaking(quadratic(B, D), 1, 4, value, point))
            oracle = Oracle(problem)
            trajectory = run(method.optimizer(), oracle, STEPS, seeded())
            assert same(trajectory[[0, 2]], healthy[[0, 2]])
            assert same(trajectory[1].loss[:3], healthy[1].loss[:3])
            assert trajectory.loss[1, 4:].isnan().all()
            assert oracle.failed.tolist() == [False, True, False]
            healthy_count = method.spent(STEPS) + 1
            until_it_broke = method.spent(3) + method.calls(Q, 3)[0]
            assert problem.counts(B).tolist() == [healthy_count, until_it_broke, healthy_count]


def stays_feasible(method: Method) -> None:
    problem = Boxed(quadratic(B, D))
    optimizer, oracle = method.optimizer(), Oracle(problem)
    states = [
        s for s, _ in iterate(optimizer, oracle, optimizer.init(problem.start()), 30, seeded())
    ]
    assert all((s.theta.abs() <= Boxed.bound).all() for s in states)
    if method.descends:
        assert any((s.theta.abs() == Boxed.bound).any() for s in states), "the bound never acts"


def randomness_comes_from_the_generator_alone(method: Method) -> None:
    torch.manual_seed(1)
    optimizer = method.optimizer()
    before = torch.get_rng_state()
    first = run(optimizer, Oracle(quadratic(B, D)), STEPS, seeded(5))
    assert torch.equal(before, torch.get_rng_state())
    assert same(first, method.run(quadratic(B, D), seed=5))
    assert not same(first, method.run(quadratic(B, D), seed=6))


def runs_stochastic_problems(method: Method) -> None:
    problem = Recorded(classification())
    oracle = Oracle(problem)
    trajectory = run(method.optimizer(), oracle, STEPS, seeded())
    assert trajectory.loss.isfinite().all()
    assert oracle.check_queries.tolist() == [STEPS + 1] * B
    assert torch.equal(problem.counts(B), oracle.loss_queries + oracle.check_queries)


CHECKS = {
    check.__name__: check
    for check in (
        lowers_the_loss_of_a_quadratic,
        counts_what_it_calls,
        announces_what_the_next_step_costs,
        never_exceeds_a_budget,
        step_leaves_its_input_alone,
        keeps_dtype_and_runs_the_smallest_sizes,
        a_broken_instance_disturbs_no_other,
        stays_feasible,
        randomness_comes_from_the_generator_alone,
        runs_stochastic_problems,
    )
}

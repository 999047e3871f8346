"""A run records each iterate's own evaluation, within its budget, and stops what is broken."""

from __future__ import annotations

import pytest
import torch

from tests.methods import composed
from tests.problems import Breaking, Recorded, normal, quadratic, seeded
from tests.test_oracle import attack
from zol2l.errors import InvalidInput
from zol2l.optimizees import BinaryClassification
from zol2l.optimizees.binary_classification import sample_datasets
from zol2l.optimizer import iterate
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.sampling import GaussianSampling
from zol2l.trajectory import Recorder
from zol2l.updates import SGD

B, D, Q, STEPS = 3, 4, 3, 6
COST = Q + 1


def sgd() -> torch.nn.Module:
    return composed(GaussianSampling(Q), SGD(1.0))


def classification() -> BinaryClassification:
    datasets = sample_datasets(B, 30, D, 0, torch.float64)
    return BinaryClassification(datasets, torch.arange(B), batch_size=5)


def test_recorded_losses_and_iterates_are_those_of_the_loop() -> None:
    problem, recorder = quadratic(B, D), Recorder(keep=[0, 2, STEPS], rows=[2, 0])
    trajectory = run(sgd(), Oracle(problem), STEPS, seeded(), recorder=recorder)
    optimizer, oracle = sgd(), Oracle(problem)
    states = [optimizer.init(problem.start())]
    states += [s for s, _ in iterate(optimizer, oracle, states[0], STEPS, seeded())]
    thetas = torch.stack([s.theta for s in states], dim=1)
    assert torch.allclose(trajectory.loss, problem(thetas).loss, rtol=1e-14)
    kept = torch.stack(recorder.iterates, dim=1)
    assert torch.equal(kept, thetas[[2, 0]][:, [0, 2, STEPS]])


def test_fields_that_a_problem_lacks_are_missing() -> None:
    trajectory = run(sgd(), Oracle(quadratic(B, D)), STEPS, seeded())
    assert trajectory.attack_loss.isnan().all()
    assert trajectory.distortion.isnan().all()
    assert not trajectory.success.any()
    assert (trajectory.prediction == -1).all()


@pytest.mark.parametrize("budget", range(COST + 1, 3 * COST + 3))
def test_loss_and_check_queries_stay_within_the_budget(budget: int) -> None:
    problem = Recorded(quadratic(B, D))
    oracle = Oracle(problem, budget)
    trajectory = run(sgd(), oracle, STEPS, seeded())
    steps = (budget - 1) // COST
    assert problem.counts(B).tolist() == [steps * COST + 1] * B
    assert (oracle.loss_queries + oracle.check_queries <= budget).all()
    assert trajectory.queries[0].tolist() == [t * COST + 1 for t in range(steps + 1)]
    unlimited = run(sgd(), Oracle(quadratic(B, D)), steps, seeded())
    assert torch.equal(trajectory.loss, unlimited.loss)


@pytest.mark.parametrize("budget", [1, COST - 1, COST])
def test_a_budget_below_one_step_and_a_check_is_refused(budget: int) -> None:
    problem = Recorded(quadratic(B, D))
    with pytest.raises(InvalidInput, match=rf"budget={budget}: .*{COST + 1} queries"):
        run(sgd(), Oracle(problem, budget), STEPS, seeded())
    assert problem.calls == []


@pytest.mark.parametrize("steps", [0, -1])
def test_no_steps_are_refused(steps: int) -> None:
    with pytest.raises(InvalidInput, match=f"steps={steps}"):
        run(sgd(), Oracle(quadratic(B, D)), steps, seeded())


def test_one_minibatch_serves_all_queries_of_a_step_and_the_full_loss_is_recorded() -> None:
    problem = Recorded(classification())
    oracle, recorder = Oracle(problem, chunk=2), Recorder(range(STEPS + 1), range(B))
    trajectory = run(sgd(), oracle, STEPS, seeded(), recorder=recorder)
    drawn: list[dict[int, torch.Tensor]] = [{}]
    for call in problem.calls:
        if call.samples is None:  # a check: the full loss, between two steps
            drawn += [{}] if drawn[-1] else []
            continue
        for row, samples in zip(call.rows.tolist(), call.samples, strict=True):
            assert torch.equal(drawn[-1].setdefault(row, samples), samples)
    steps = [step for step in drawn if step]
    assert [sorted(step) for step in steps] == [list(range(B))] * STEPS
    batches = [tuple(step[row].tolist()) for step in steps for row in range(B)]
    assert len(set(batches)) == STEPS * B, "minibatches must be drawn anew"
    assert oracle.check_queries.tolist() == [STEPS + 1] * B
    assert oracle.loss_queries.tolist() == [STEPS * COST] * B
    thetas = torch.stack(recorder.iterates, dim=1)
    assert torch.allclose(trajectory.loss, classification()(thetas).loss, rtol=1e-12)


def test_when_all_instances_break_the_run_ends() -> None:
    problem = Recorded(Breaking(quadratic(1, D), row=0, step=3))
    oracle = Oracle(problem)
    trajectory = run(sgd(), oracle, STEPS, seeded())
    assert oracle.failed.all()
    assert trajectory.loss.isfinite().tolist() == [[True, True, True, False]]
    assert trajectory.queries[0].tolist() == [1, COST + 1, 2 * COST + 1, 3 * COST]
    assert problem.counts(1).tolist() == [3 * COST]
    assert oracle.check_queries.tolist() == [0]


@pytest.mark.parametrize("point", [0, -1])
@pytest.mark.parametrize("step", [1, 3, STEPS])
def test_a_broken_run_reports_all_that_was_asked(step: int, point: int) -> None:
    problem = Recorded(Breaking(quadratic(2, D), row=1, step=step, point=point))
    trajectory = run(sgd(), Oracle(problem), STEPS, seeded())
    assert trajectory.queries[:, -1].tolist() == problem.counts(2).tolist()


def test_a_used_oracle_counts_on_and_is_refused_once_its_budget_is_spent() -> None:
    problem = Recorded(quadratic(B, D))
    oracle, refused = Oracle(problem, budget=30), 0
    for _ in range(5):
        try:
            run(sgd(), oracle, 3, seeded())
        except InvalidInput as error:
            assert "make a new Oracle" in str(error)
            refused += 1
    assert refused >= 2
    oracle.query(normal(B, 4, D))
    for _ in range(9):
        oracle.check(normal(B, D))
    assert (problem.counts(B) <= 30).all()
    assert torch.equal(problem.counts(B), oracle.loss_queries + oracle.check_queries)


@pytest.mark.parametrize("step", [3, STEPS])
def test_an_infinite_loss_is_recorded_as_nan(step: int) -> None:
    """Else one instance makes the mean final loss of all infinite."""
    problem = Breaking(quadratic(2, D), row=0, step=step, value=torch.inf, point=0)
    trajectory = run(sgd(), Oracle(problem), STEPS, seeded())
    assert trajectory.loss[0, STEPS].isnan()
    assert not trajectory.loss.isinf().any()
    assert trajectory.loss[1].isfinite().all()


def test_a_run_evaluates_in_evaluation_mode_and_keeps_no_graph() -> None:
    optimizer = sgd().train()
    seen: list[int] = []
    trajectory = run(optimizer, Oracle(quadratic(B, D)), STEPS, seeded(), progress=seen.append)
    assert not optimizer.training
    assert not trajectory.loss.requires_grad
    assert seen == list(range(1, STEPS + 1))


def test_a_stopped_instance_predicts_no_class() -> None:
    oracle = Oracle(attack(3))
    oracle.stop(torch.tensor([False, True, False]))
    seen = oracle.query(torch.zeros(3, 1, 6, dtype=torch.float64))
    assert seen.prediction[1].tolist() == [-1]

"""C&W and ZOO: their objective, their search over c, and that ZOO is C&W by differences."""

from __future__ import annotations

import pytest
import torch

from tests.attacks.verification import verify
from tests.attacks.victims import LinearVictim, labelled, pictures
from tests.problems import normal
from zol2l.attacks.descent import Descent
from zol2l.attacks.distortion import DistortionAttack
from zol2l.attacks.transfer import TransferAttack
from zol2l.errors import InvalidInput
from zol2l.estimators import CentralDifference, ExactGradient
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.distortion_problem import DistortionProblem
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import L2Ball, LInfBall
from zol2l.optimizees.variable import Variable
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, ImportantCoordinates, RandomCoordinates
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import CoordinateAdam

B, K = 10, 6
WIDE = LInfBall(1.0)


def zoo(**options: object) -> DistortionAttack:
    optimizer = ComposedOptimizer(
        RandomCoordinates(K), CentralDifference(1e-4), CoordinateAdam(0.1)
    )
    return DistortionAttack(optimizer, **{"threat": WIDE, "steps": 60, **options})


def carlini_wagner(**options: object) -> DistortionAttack:
    optimizer = ComposedOptimizer(GaussianSampling(1), ExactGradient(), CoordinateAdam(0.05))
    settings = {"threat": WIDE, "steps": 100, "searches": 6, "patience": 10, "minimize": True}
    return DistortionAttack(optimizer, **{**settings, **options})


@pytest.mark.parametrize("tanh", [False, True])
def test_the_objective_is_distortion_plus_c_times_the_attack_loss(tanh: bool) -> None:
    victim, images = LinearVictim(), pictures(B, torch.float64)
    goal, weight = Goal(labelled(victim, images)), torch.rand(B, dtype=torch.float64)
    inner = ConstrainedAttack(victim, images, goal, LInfBall(0.2))
    shape = tuple(images.shape[1:])
    problem = DistortionProblem(inner, weight, Variable(shape, shape, tanh))
    theta = 0.3 * normal(B, 3, inner.dimension, dtype=torch.float64, seed=2)
    delta = problem.perturbation(theta)
    assert delta.abs().max() <= 0.2 + 1e-12
    points = inner.clean()[:, None] + delta
    assert points.min() >= 0 and points.max() <= 1
    expected = delta.square().sum(-1) + weight[:, None] * inner(delta).loss
    torch.testing.assert_close(problem(theta).loss, expected)
    assert problem[2:4].instances == 2
    torch.testing.assert_close(problem[2:4](theta[2:4]).loss, expected[2:4])


def test_zoo_breaks_what_carlini_wagner_breaks_and_is_farther_away() -> None:
    victim, images = LinearVictim(), pictures(B, torch.float64)
    labels = labelled(victim, images)
    black, white = (a(victim, images, labels) for a in (zoo(searches=4), carlini_wagner()))
    for result in (black, white):
        assert verify(result, victim, images, Goal(labels), WIDE)["success_rate"] == 1
    length = [(r.adversarial - images).flatten(1).norm(dim=1) for r in (black, white)]
    assert (length[1] <= length[0] + 1e-6).double().mean() >= 0.9


def test_a_linear_victim_is_broken_at_the_distance_of_its_boundary() -> None:
    """The least l2 distortion of a linear classifier is known: margin / ||w_i - w_j||."""
    victim, images = LinearVictim(), 0.5 + 0.05 * (pictures(B, torch.float64) - 0.5)
    labels = labelled(victim, images)
    result = carlini_wagner(steps=200, threat=L2Ball(10.0))(victim, images, labels)
    weight, x = victim.weight.double(), images.flatten(1)
    scores = x @ weight
    own = scores.gather(1, labels[:, None])
    away = (weight[:, labels].T[:, :, None] - weight[None]).norm(dim=1)
    ratio = ((own - scores) / away).scatter(1, labels[:, None], torch.inf)
    nearest = ratio.amin(dim=1)
    found = (result.adversarial - images).flatten(1).norm(dim=1)
    assert (found >= nearest - 1e-9).all()
    assert (found / nearest).median() < 1.02


def test_c_grows_tenfold_while_an_image_stands() -> None:
    victim, images = LinearVictim(), pictures(B, torch.float64)
    labels = labelled(victim, images)
    once = zoo(c=1e-6, searches=1)(victim, images, labels)
    often = zoo(c=1e-6, searches=9)(victim, images, labels)
    assert once.success.sum() < often.success.sum() == B
    assert (once.queries[~once.success] <= 60 * (2 * K + 1) + 1).all()


def test_an_image_rests_when_its_loss_no_longer_falls() -> None:
    victim, images = LinearVictim(), pictures(B, torch.float64)
    result = zoo(c=1e-9, steps=1000, patience=10)(victim, images, labelled(victim, images))
    assert not result.success.any()
    assert result.queries.max() < 500 * (2 * K + 1)


@pytest.mark.parametrize("before", [5.0, -5.0, torch.inf])
def test_a_loss_has_fallen_whatever_its_sign(before: float) -> None:
    nobody, other = torch.zeros(3, dtype=torch.bool), dict.fromkeys(("optimizer", "best", "search"))
    fields = {"won": nobody, "delta": nobody, "finished": nobody, "began": nobody, **other}
    descent = Descent(before=torch.tensor([before] * 3), resting=nobody, **fields)
    start = 5.0 if before == torch.inf else before
    later = torch.tensor([start - 1, start, start + 1])
    expected = [False] * 3 if before == torch.inf else [False, True, True]
    assert descent.rested(later, 0.9999).resting.tolist() == expected


def test_a_picture_grows_and_the_attack_goes_on() -> None:
    victim, images = LinearVictim(), pictures(B, torch.float64)
    labels = labelled(victim, images)
    result = zoo(sides=[2, 3], grow_at=[20], c=100.0, searches=2, tanh=True)
    found = result(victim, images, labels)
    assert verify(found, victim, images, Goal(labels), WIDE)["overstated"] == 0
    assert found.success.any()
    with pytest.raises(InvalidInput, match="grow_at"):
        zoo(sides=[2, 3], grow_at=[])


def test_adam_moves_and_counts_probed_coordinates_alone() -> None:
    update = CoordinateAdam(0.1)
    theta = torch.zeros(1, 3)
    state = update.init(theta)
    base = Evaluation(torch.zeros(1, 1))
    for g in ([2.0, 0.0, 0.0], [4.0, -3.0, 0.0]):
        delta, state = update(GradientEstimate(torch.tensor([g]), base), state)
    assert state.step.tolist() == [[2, 1, 0]]
    assert delta[0, 1].item() == pytest.approx(0.1)
    assert delta[0, 2].item() == 0
    moments = torch.optim.Adam([p := torch.zeros(1, requires_grad=True)], lr=0.1)
    for g in (2.0, 4.0):
        before = p.detach().clone()
        p.grad = torch.tensor([g])
        moments.step()
    assert delta[0, 0].item() == pytest.approx((p.detach() - before).item(), rel=1e-5)


def test_important_coordinates_are_near_the_largest_change() -> None:
    from zol2l.sampling import LastStep

    rule, zeros = ImportantCoordinates(4, channels=1), torch.zeros(1, 49)
    state = rule.init(zeros)
    change = zeros.clone()
    change[0, 24] = 1.0
    generator = torch.Generator().manual_seed(0)
    _, state = rule(LastStep(zeros, change), state, generator)
    counts = torch.zeros(49)
    for _ in range(200):
        directions, _ = rule(LastStep(zeros, zeros), state, generator)
        assert (directions.u != 0).sum() == 4
        counts += (directions.u[0] != 0).sum(0)
    near = torch.zeros(7, 7)
    near[2:5, 2:5] = 1
    assert counts[near.flatten() == 1].sum() > 0.95 * counts.sum()
    with pytest.raises(InvalidInput, match="channels"):
        ImportantCoordinates(4, channels=3)(LastStep(zeros, zeros), zeros, generator)


def test_transfer_asks_the_victim_once_an_image() -> None:
    victim, surrogate, images = LinearVictim(), LinearVictim(), pictures(B, torch.float64)
    labels = labelled(victim, images)
    result = TransferAttack(carlini_wagner(), surrogate, WIDE)(victim, images, labels)
    assert victim.calls() == B == int(result.queries.sum())
    assert result.success.all(), "the surrogate is the victim itself"

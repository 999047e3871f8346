"""Every attack counts what it calls, stays in its threat model, and says what is true."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.attacks.verification import verify
from tests.attacks.victims import CLASSES, D, LinearVictim, labelled, pictures
from zol2l.attacks.attack import Attack
from zol2l.attacks.bandits import BanditsTD, exponentiated
from zol2l.attacks.square import SquareAttack
from zol2l.attacks.zeroth_order import ZerothOrderAttack
from zol2l.errors import InvalidInput
from zol2l.estimators import CentralDifference, ExactGradient, ForwardDifference, OuterProduct
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import L2Ball, LInfBall, ThreatModel
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, SphereSampling
from zol2l.updates import MomentumSign, NaturalGradient, SignSGD, Update

B, Q, STEPS = 12, 5, 30


def zo_ngd() -> ComposedOptimizer:
    estimator = ForwardDifference(0.1, OuterProduct())
    return ComposedOptimizer(SphereSampling(Q), estimator, NaturalGradient(0.3, 0.01))


def nes() -> ComposedOptimizer:
    return ComposedOptimizer(GaussianSampling(Q), CentralDifference(1e-3), MomentumSign(0.05))


def white_box(update: Update) -> ComposedOptimizer:
    return ComposedOptimizer(GaussianSampling(1), ExactGradient(OuterProduct()), update)


def attacks(threat: ThreatModel, **options: object) -> dict[str, Attack]:
    return {
        "zo_ngd": ZerothOrderAttack(zo_ngd(), threat, STEPS, **options),
        "nes_pgd": ZerothOrderAttack(nes(), threat, STEPS, **options),
        "pgd": ZerothOrderAttack(white_box(SignSGD(0.05 * D)), threat, STEPS, **options),
        "ngd": ZerothOrderAttack(white_box(NaturalGradient(2.0, 10.0)), threat, STEPS, **options),
    } | (linf_attacks(threat, **options) if isinstance(threat, LInfBall) else {})


def linf_attacks(threat: ThreatModel, **options: object) -> dict[str, Attack]:
    return {
        "square": SquareAttack(threat, 100, **options),
        "bandits_td": BanditsTD(threat, 100, step=0.05, tile=2, **options),
    }


CASES = [
    pytest.param(name, threat, id=f"{name}-{threat.order:g}")
    for threat in (LInfBall(0.3), L2Ball(1.2))
    for name in attacks(threat)
]


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(("name", "threat"), CASES)
def test_an_attack_keeps_its_promises(name: str, threat: ThreatModel, targeted: bool) -> None:
    victim, images = LinearVictim(), pictures(B, torch.float32)
    labels = labelled(victim, images)
    targets = (labels + 1) % CLASSES if targeted else None
    result = attacks(threat)[name](victim, images, labels, targets)
    assert victim.calls() == int(result.queries.sum())
    assert all(len(shown) for shown in victim.seen), "the victim was shown no image"
    truth = verify(result, victim, images, Goal(labels, targets), threat)
    assert truth["overstated"] == 0
    assert truth["success_rate"] == result.success.double().mean()
    assert truth["outside_ball"] <= 1e-6
    assert truth["outside_box"] == 0
    assert truth["success_rate"] > 0, "an attack that never succeeds shows nothing"
    assert torch.equal(result.distortion, threat.size((result.adversarial - images).flatten(1)))


@pytest.mark.parametrize("name", attacks(LInfBall(0.3)))
def test_nothing_is_asked_of_an_image_after_its_success(name: str) -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    result = attacks(LInfBall(0.3), chunk=None)[name](victim, images, labels)
    adversarial, seen = result.adversarial.flatten(1), torch.cat(victim.seen)
    for image in result.success.nonzero()[:, 0].tolist():
        at = (seen - adversarial[image]).abs().amax(dim=1) < 1e-9
        assert at.sum() == 1, "a successful iterate is shown once, and no probes follow it"


@pytest.mark.parametrize("name", attacks(LInfBall(0.3)))
@pytest.mark.parametrize("budget", [12, 13, 40])
def test_no_image_costs_more_than_the_budget(name: str, budget: int) -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    result = attacks(LInfBall(0.05), budget=budget)[name](victim, images, labels)
    assert result.queries.max() <= budget
    spent = result.queries[~result.success]
    limit = STEPS + 1 if name in ("pgd", "ngd") else budget
    assert spent.min() > min(limit, budget) - 2 * Q - 1, "the budget is used"
    assert victim.calls() == int(result.queries.sum())


FIRST = {"zo_ngd": Q + 1, "nes_pgd": 2 * Q + 1, "bandits_td": 3}
"""Queries of a first step; of all others 1."""


@pytest.mark.parametrize("name", attacks(LInfBall(0.3)))
def test_a_budget_below_a_first_step_and_a_look_is_refused_and_nothing_asked(name: str) -> None:
    cost = FIRST.get(name, 1) + 1
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    victim.forget()
    attack = attacks(LInfBall(0.3), budget=cost - 1)[name]
    with pytest.raises(InvalidInput, match=rf"budget={cost - 1}: .* {cost} queries"):
        attack(victim, images, labels)
    assert victim.calls() == 0
    result = attacks(LInfBall(0.3), budget=cost)[name](victim, images, labels)
    assert result.queries.max() <= cost


@pytest.mark.parametrize("name", attacks(LInfBall(0.3)))
def test_it_is_called_as_torchattacks_are_and_is_reproducible(name: str) -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    attack = attacks(LInfBall(0.3))[name]
    first = attack.on(victim)(images, labels)
    assert torch.equal(first, attack(victim, images, labels).adversarial)
    assert first.shape == images.shape


def test_a_victim_that_answers_nan_stops_that_image_alone() -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)

    def broken(x: torch.Tensor) -> torch.Tensor:
        marked = (x[:, 0, 0, 0] - images[2, 0, 0, 0]).abs() < 1e-9
        return torch.where(marked[:, None], torch.nan, victim(x))

    for attack in attacks(LInfBall(0.3)).values():
        result = attack(broken, images, labels)
        assert result.adversarial.isfinite().all()
        whole = attack(victim, images, labels)
        others = torch.arange(B) != 2
        assert not whole.stopped.any() and not result.stopped[others].any()
        assert torch.equal(result.success[others], whole.success[others])
        assert torch.equal(result.queries[others], whole.queries[others])


def test_verification_sees_what_is_wrong() -> None:
    victim, images, threat = LinearVictim(), pictures(B), LInfBall(0.3)
    labels = labelled(victim, images)
    result = attacks(threat)["nes_pgd"](victim, images, labels)
    claimed = dataclasses.replace(result, adversarial=images, success=torch.ones(B).bool())
    assert verify(claimed, victim, images, Goal(labels), threat)["overstated"] == B
    far = dataclasses.replace(result, adversarial=images + 0.4)
    truth = verify(far, victim, images, Goal(labels), threat)
    assert truth["outside_ball"] == pytest.approx(0.1)
    assert truth["outside_box"] > 0


def test_squares_shrink_by_the_published_schedule() -> None:
    attack = SquareAttack(LInfBall(0.3), steps=10_000)
    sides = [
        attack.side(step, 28, 28) for step in (0, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001)
    ]
    shares = [0.8 / 2**k for k in range(10)]
    assert (
        sides == [min(round((share * 784) ** 0.5), 27) for share in shares] == sorted(sides)[::-1]
    )
    assert SquareAttack(LInfBall(0.3), steps=100).side(99, 28, 28) == max(
        1, round((0.8 / 512 * 784) ** 0.5)
    )


def test_the_prior_of_bandits_moves_by_exponentiated_gradients() -> None:
    prior, gradient, rate = torch.tensor([-0.9, 0.0, 0.4]), torch.tensor([0.3, -0.2, 0.1]), 2.0
    p = (prior + 1) / 2
    up, down = p * (rate * gradient).exp(), (1 - p) * (-rate * gradient).exp()
    assert torch.allclose(exponentiated(prior, gradient, rate), 2 * up / (up + down) - 1)
    assert exponentiated(torch.ones(1), -torch.ones(1), 1000.0).isfinite().all()


def test_squares_are_for_linf() -> None:
    with pytest.raises(InvalidInput, match="l_inf"):
        SquareAttack(L2Ball(1.0))
    assert pictures(1)[0].numel() == D

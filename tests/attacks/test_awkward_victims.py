"""Victims that tie, answer NaN, or behave otherwise in training: what is said of them is true."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from tests.attacks.test_attacks import B, Q, attacks
from tests.attacks.test_distortion import zoo
from tests.attacks.verification import verify
from tests.attacks.victims import CLASSES, D, LinearVictim, labelled, pictures
from zol2l.attacks.attack import AttackResult, Victim, inspect
from zol2l.attacks.square import SquareAttack
from zol2l.attacks.zeroth_order import ZerothOrderAttack
from zol2l.errors import InvalidInput
from zol2l.estimators import AllClasses, ForwardDifference, LogOdds, MonteCarlo
from zol2l.evaluation.attacking import AttackProtocol, attack_once
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import LInfBall
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import SphereSampling
from zol2l.updates import NaturalGradient

BALL = LInfBall(0.3)
BLACK_BOX = ("square", "nes_pgd", "zo_ngd", "bandits_td")


@pytest.mark.parametrize("name", BLACK_BOX)
def test_a_tie_is_no_success_and_no_success_is_lost_to_one(name: str) -> None:
    linear, images = LinearVictim(scale=0.7), pictures(B)
    labels = labelled(linear, images)

    def coarse(x: Tensor) -> Tensor:
        return linear(x).round()

    kept = coarse(images).argmax(dim=1) == labels
    for seed in range(4):
        attack = attacks(BALL, seed=seed)[name]
        result = attack(coarse, images[kept], labels[kept])
        goal = Goal(labels[kept])
        seen = inspect(result.adversarial, coarse, images[kept], goal, BALL)
        assert torch.equal(result.success, seen.broken)
        if name == "square":
            assert seen.broken.any()


def test_square_returns_what_succeeded_whatever_its_loss() -> None:
    victim, images, ball = LinearVictim(scale=0.5), pictures(64), LInfBall(0.1)
    labels = labelled(victim, images)
    result = SquareAttack(ball, 100, loss="cross_entropy")(victim, images, labels)
    assert result.success.any()
    assert verify(result, victim, images, Goal(labels), ball)["overstated"] == 0


def test_an_answer_of_nan_breaks_nothing() -> None:
    images, labels = pictures(B), torch.arange(B) % CLASSES

    def silent(x: Tensor) -> Tensor:
        return torch.full((len(x), CLASSES), torch.nan, dtype=x.dtype)

    seen = inspect(images, silent, images, Goal(labels), BALL)
    assert not seen.broken.any() and (seen.predicted == -1).all()
    for name in BLACK_BOX:
        result = attacks(BALL)[name](silent, images, labels)
        assert result.stopped.all() and not result.success.any()


def test_a_victim_that_calls_classes_impossible_is_attacked_like_any_other() -> None:
    linear, images = LinearVictim(), pictures(B)
    labels = labelled(linear, images)

    def certain(x: Tensor) -> Tensor:
        return one_hot(linear(x).argmax(dim=1), CLASSES).to(x).log()

    found = SquareAttack(LInfBall(0.5), 200)(certain, images, labels)
    assert found.success.any()
    assert (found.queries[~found.success] == 201).all(), "none gives up at its first answer"


def family_of(victim: Victim, images: Tensor, labels: Tensor, ball: LInfBall) -> SimpleNamespace:
    sizes, goal = {"test": 2 * B}, Goal(labels)
    return SimpleNamespace(
        examples=lambda *_: (images, goal), victim=victim, threat=ball, sizes=sizes
    )


def test_images_stopped_by_nan_are_named(caplog: pytest.LogCaptureFixture) -> None:
    linear, images = LinearVictim(), pictures(B)
    labels = labelled(linear, images)

    def silent_about_one(x: Tensor) -> Tensor:
        marked = (x[:, 0, 0, 0] - images[2, 0, 0, 0]).abs() < 1e-9
        return torch.where(marked[:, None], torch.nan, linear(x))

    protocol = AttackProtocol(images=B, split="test", first=7)
    for victim in (linear, silent_about_one):
        family = family_of(victim, images, labels, BALL)
        attack_once("zo_ngd", attacks(BALL)["zo_ngd"], family, protocol)
    expected = "zo_ngd: 1 stopped because the function returned NaN or inf (image 9)"
    assert caplog.messages == [expected]


def test_success_is_by_a_margin_of_kappa() -> None:
    linear, images = LinearVictim(), pictures(B)
    labels, ball = labelled(linear, images), LInfBall(0.5)
    family = family_of(linear, images, labels, ball)
    protocol = AttackProtocol(images=B, split="test")
    for kappa in (0.0, 50.0):
        attack = SquareAttack(ball, 100, kappa=kappa)
        rows, _ = attack_once("square", attack, family, protocol)
        assert (rows["predicted"] != rows["label"]).any()
        assert rows["success"].any() == (kappa == 0)


def test_no_image_is_one_clear_error() -> None:
    with pytest.raises(InvalidInput, match="images=0: at least one"):
        SquareAttack(BALL)(LinearVictim(), pictures(B)[:0], torch.zeros(0).long())


def test_log_odds_are_those_of_a_margin() -> None:
    estimator = ForwardDifference(0.1, LogOdds())
    optimizer = ComposedOptimizer(SphereSampling(Q), estimator, NaturalGradient(0.3, 0.01))
    with pytest.raises(InvalidInput, match=r"loss=cross_entropy: margin"):
        ZerothOrderAttack(optimizer, BALL, 30, loss="cross_entropy")


@pytest.mark.parametrize("information", [AllClasses(), MonteCarlo(2)])
def test_classes_that_are_never_seen_leave_the_images_whole(information: AllClasses) -> None:
    """A class of probability 0 everywhere says nothing; one that vanishes at a probe stops it."""
    linear, images = LinearVictim(), pictures(B)
    labels = labelled(linear, images)

    def partial(x: Tensor) -> Tensor:
        scores = linear(x)
        return scores.masked_fill(scores < scores.amax(dim=1, keepdim=True) - 3, -torch.inf)

    estimator = ForwardDifference(0.1, information)
    optimizer = ComposedOptimizer(SphereSampling(Q), estimator, NaturalGradient(0.3, 0.01))
    result = ZerothOrderAttack(optimizer, BALL, 30)(partial, images, labels)
    assert result.adversarial.isfinite().all() and result.distortion.isfinite().all()
    truth = verify(result, partial, images, Goal(labels), BALL)
    assert truth["overstated"] == 0 and truth["outside_ball"] < 1e-12

    never = torch.tensor([0.0, 0.0, 0.0, -torch.inf], dtype=torch.float64)
    possible = labels != CLASSES - 1
    result = ZerothOrderAttack(optimizer, BALL, 30)(
        lambda x: linear(x) + never, images[possible], labels[possible]
    )
    assert result.success.any()


def test_a_network_is_attacked_in_evaluation_mode_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    parts = nn.Flatten(), nn.BatchNorm1d(D), nn.Dropout(0.5), nn.Linear(D, CLASSES)
    network = nn.Sequential(*parts).double()
    network[1].eval()
    network.training = True
    images = pictures(B)
    labels = torch.arange(B) % CLASSES
    before, still = copy.deepcopy(network.state_dict()), copy.deepcopy(network).eval()
    for name, attack in attacks(BALL).items():
        result: AttackResult = attack(network, images, labels)
        assert torch.equal(result.adversarial, attack(still, images, labels).adversarial), name
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert [part.training for part in network] == [True, False, True, True]


def test_a_call_for_images_takes_targets_too() -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    targets = (labels + 1) % CLASSES
    attack = attacks(BALL)["nes_pgd"]
    wanted = attack(victim, images, labels, targets).adversarial
    assert torch.equal(attack.on(victim)(images, labels, targets), wanted)
    assert torch.equal(attack.on(victim)(images, labels, targets=targets), wanted)
    assert not torch.equal(attack.on(victim)(images, labels), wanted)


def test_an_image_out_of_queries_keeps_its_last_iterate_in_later_descents() -> None:
    """Unlike the others it has no next descent: its last check is of where it was."""
    victim, images = LinearVictim(), pictures(64)
    labels = labelled(victim, images)
    attack = zoo(threat=LInfBall(0.05), searches=8, steps=20, patience=4, budget=200, tanh=False)
    result = attack(victim, images, labels)
    lost = ~result.success
    assert lost.any()
    moved = (result.adversarial - images).flatten(1).abs().amax(dim=1) > 0
    assert moved[lost].all()

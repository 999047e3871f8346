"""What victims may answer, and what labels, targets and images may be: else one clear word."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.attacks.test_attacks import attacks
from tests.attacks.test_distortion import zoo
from tests.attacks.victims import CLASSES, LinearVictim, labelled, pictures
from tests.problems import normal
from tests.test_answers import GOOD
from zol2l.attacks.attack import Attack
from zol2l.attacks.square import SquareAttack
from zol2l.errors import InvalidInput
from zol2l.optimizees import BlackBoxAttack
from zol2l.optimizees.threat_model import LInfBall

B = 3
BALL = LInfBall(0.3)
SINGLE = ("a column", "array", "backwards", "float32")
VICTIMS = {
    **GOOD,
    "a column": lambda x: x[None][0],
    "numbers in a list": lambda x: [row.tolist() for row in x],
}


FINER = {kind: (lambda x: x) if kind in SINGLE else torch.Tensor.double for kind in VICTIMS}
"""What each of these answers is as a tensor: numbers of Python's own are float64."""


def black_boxes(threat: LInfBall = BALL) -> dict[str, Attack]:
    return {**attacks(threat), "zoo": zoo(threat=threat, searches=2, steps=8, patience=4)}


@pytest.mark.parametrize("kind", [k for k in VICTIMS if k != "float32"])
@pytest.mark.parametrize("name", ["square", "bandits_td", "nes_pgd", "zo_ngd", "zoo"])
def test_a_victim_may_answer_in_any_plain_form(name: str, kind: str) -> None:
    victim, images = LinearVictim(), pictures(B, torch.float32)
    labels = labelled(victim, images)
    found = black_boxes()[name](lambda x: VICTIMS[kind](victim(x)), images, labels)
    plain = black_boxes()[name](lambda x: FINER[kind](victim(x)), images, labels)
    assert torch.equal(found.adversarial, plain.adversarial)
    assert torch.equal(found.queries, plain.queries)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda x: None, "answered None"),
        (lambda x: x.argmax(dim=1), "answered numbers of shape"),
        (lambda x: x[:, :1], "one logit z an image"),
        (lambda x: x[:-1], "answered numbers of shape"),
        (lambda x: x[0], "answered numbers of shape"),
        (lambda x: (x, x[:, :1]), "answered a tuple"),
        (lambda x: {"logits": x}, "answered a dict"),
        (lambda x: x @ x, "raised RuntimeError: "),
    ],
)
def test_a_victim_that_answers_no_scores_is_one_clear_word(
    answer: Callable[[Tensor], Any], told: str
) -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)

    def classifier(x: Tensor) -> Any:
        return answer(victim(x))

    for attack in black_boxes().values():
        with pytest.raises(InvalidInput, match=r"^victim=classifier: ") as caught:
            attack(classifier, images, labels)
        assert told in str(caught.value)
        assert "a logit for each of two classes or more" in str(caught.value)


def test_a_victim_that_writes_into_its_images_harms_nothing() -> None:
    linear, images = LinearVictim(), pictures(B)
    labels, before = labelled(linear, images), images.clone()

    def writing(x: Tensor) -> Tensor:
        x.sub_(0.5).mul_(2)
        return linear(x / 2 + 0.5)

    theta = normal(B, 2, images[0].numel())
    mine, theirs = (BlackBoxAttack(v, images, labels)(0.1 * theta) for v in (writing, linear))
    assert torch.allclose(mine.loss, theirs.loss, rtol=1e-12)
    for name, attack in black_boxes().items():
        found = attack(writing, images, labels)
        assert torch.equal(images, before), name
        assert found.adversarial.min() >= 0, name


ONE_HOT = torch.eye(CLASSES)[torch.arange(B)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"labels": torch.tensor([0, 1, CLASSES])}, f"labels={CLASSES}: below the {CLASSES} class"),
        ({"labels": torch.tensor([0, -1, 1])}, "labels=-1: classes are counted from 0"),
        ({"labels": torch.zeros(B)}, "labels=of torch.float32: classes as whole numbers"),
        ({"labels": ONE_HOT}, "take .argmax(dim=1)"),
        ({"labels": None}, "labels=None: one class an image, (3,)"),
        ({"labels": torch.zeros(B - 1).long()}, "labels=of shape (2,): one class an image, (3,)"),
        ({"targets": torch.ones(B)}, "targets=of torch.float32"),
        ({"targets": ONE_HOT}, "targets=of shape (3, 4)"),
        ({"targets": torch.tensor([3, 3, 2])}, "targets=2 for image 2: another class"),
        ({"targets": torch.tensor([3, 3, 9])}, "targets=9: below"),
        ({"images": pictures(B)[0]}, "images=(2, 3, 2): a batch (B, C, H, W)"),
        ({"images": pictures(B)[:, :, :0]}, "at least one pixel each"),
        ({"images": pictures(B).bfloat16()}, "images=torch.bfloat16: torch.float32 or"),
        ({"images": (255 * pictures(B)).to(torch.uint8)}, "images=torch.uint8: torch.float32 or"),
        ({"images": pictures(B) + 1e-5 + 1 - pictures(B).max()}, "a pixel of 1."),
        ({"images": pictures(B) - pictures(B).min() - 1e-5}, "a pixel of -1e-05"),
    ],
)
def test_labels_targets_and_images_are_checked_at_the_door(
    given: dict[str, Tensor], told: str
) -> None:
    labels = torch.arange(B)
    arguments = {"images": pictures(B), "labels": labels, "targets": None, **given}
    for attack in black_boxes().values():
        with pytest.raises(InvalidInput) as caught:
            attack(LinearVictim(), **arguments)
        assert told in str(caught.value)


def test_labels_and_images_may_be_of_any_whole_type_and_arrays() -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    plain = SquareAttack(BALL, 50)(victim, images, labels)
    for kind in (labels.to(torch.uint8), labels.int(), labels.numpy(), labels.tolist()):
        found = SquareAttack(BALL, 50)(victim, images.numpy(), kind)
        assert torch.equal(found.adversarial, plain.adversarial)


def test_pixels_that_rounding_moved_outside_are_clipped() -> None:
    victim, images = LinearVictim(), pictures(B)
    labels = labelled(victim, images)
    images[0, 0, 0, 0], images[1, 0, 0, 0] = -3e-8, 1 + 1e-7
    found = SquareAttack(BALL, 50)(victim, images, labels)
    whole = SquareAttack(BALL, 50)(victim, images.clamp(0, 1), labels)
    assert torch.equal(found.adversarial, whole.adversarial)
    assert sys.float_info.epsilon > (found.adversarial - 1).max()


def test_classes_that_the_victim_tells_apart_stay_apart() -> None:
    """In float32 these scores are all the same: the clean images would be broken by a tie."""
    linear, images = LinearVictim(), pictures(B, torch.float32)
    labels = labelled(linear, images.double())
    answers = {
        "large": lambda x: linear(x.double()) + 1e8,
        "small": lambda x: 1e-9 * linear(x.double()) + 1,
        "whole": lambda x: (10 * linear(x.double())).long() + 10**15,
        "unsigned": lambda x: (1000 * linear(x.double()) + 2.0**40).numpy().astype("uint64"),
    }
    for victim in answers.values():
        found = SquareAttack(LInfBall(1e-6), 20)(victim, images, labels)
        assert not found.success.any()


def test_unsigned_scores_beyond_64_bits_with_a_sign_keep_it() -> None:
    images, labels = pictures(B), torch.zeros(B).long()

    def victim(x: Tensor) -> Any:
        scores = np.full((len(x), CLASSES), 5, dtype=np.uint64)
        scores[:, 0] = 2**64 - 1
        return scores

    assert not SquareAttack(BALL, 20)(victim, images, labels).success.any()


def test_a_victim_answers_as_many_classes_for_every_image() -> None:
    images, labels = pictures(B), torch.zeros(B).long()
    with pytest.raises(InvalidInput, match="classes: as many for every image"):
        SquareAttack(BALL, 20, chunk=2)(lambda x: x.flatten(1)[:, : 3 + len(x)], images, labels)


@pytest.mark.parametrize(
    "options",
    [
        *({"budget": "9"}, {"budget": 1.5}, {"budget": 10**30}, {"chunk": 1.5}, {"confirm": "x"}),
        *({"seed": -1}, {"seed": 1.5}, {"seed": None}, {"seed": 2**70}, {"confirm": 1.5}),
    ],
    ids=str,
)
def test_settings_of_other_kinds_are_named(options: dict[str, Any]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(InvalidInput, match=f"^{name}={value}: "):
        SquareAttack(BALL, 20, **options)


def test_radii_and_margins_are_finite_numbers() -> None:
    for eps in ("8/255", True, None, float("nan")):
        with pytest.raises(InvalidInput, match=r"^eps="):
            LInfBall(eps)
    for kappa in ("x", float("inf")):
        with pytest.raises(InvalidInput, match=r"^kappa="):
            SquareAttack(BALL, 20, kappa=kappa)(LinearVictim(), pictures(B), torch.zeros(B).long())


def test_an_image_buffer_that_changes_meanwhile_changes_nothing() -> None:
    linear, images = LinearVictim(), pictures(B)
    labels, before = labelled(linear, images), images.clone()

    def victim(x: Tensor) -> Tensor:
        images.fill_(0.5)
        return linear(x)

    found = SquareAttack(BALL, 30)(victim, images, labels)
    plain = SquareAttack(BALL, 30)(linear, before, labels)
    assert torch.equal(found.adversarial, plain.adversarial)

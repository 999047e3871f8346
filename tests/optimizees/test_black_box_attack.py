"""Equation 6 of ZO-L2L by hand: a linear victim, written out in plain Python."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.problems import normal, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import BlackBoxAttack

B, N, D, CLASSES = 3, 4, 6, 4
SHAPE = (B, 2, 1, 3)
WEIGHT, BIAS = 2 * normal(D, CLASSES, seed=1), normal(CLASSES, seed=2)
LABELS, TARGETS = torch.tensor([0, 3, 1]), torch.tensor([1, 2, 3])
NORMS = {
    "l1": lambda delta: sum(abs(x) for x in delta),
    "l2": lambda delta: math.sqrt(sum(x * x for x in delta)),
    "linf": lambda delta: max(abs(x) for x in delta),
}


def images() -> Tensor:
    return torch.rand(SHAPE, generator=seeded(3), dtype=torch.float64)


def victim(x: Tensor) -> Tensor:
    return x.flatten(1) @ WEIGHT.to(x) + BIAS.to(x)


def attack(**options: object) -> BlackBoxAttack:
    return BlackBoxAttack(victim, images(), LABELS, **options)


def by_hand(clean: list, theta: list, label: int, target: int | None, options: dict) -> dict:
    """Loss and success of one image at one point, from scratch."""
    if options.get("parameterization") == "tanh":
        inside = [math.atanh((2 * x - 1) * (1 - 1e-6)) for x in clean]
        x = [(math.tanh(w + t) + 1) / 2 for w, t in zip(inside, theta, strict=True)]
    else:
        x = [min(max(a + t, 0.0), 1.0) for a, t in zip(clean, theta, strict=True)]
    weight, bias = WEIGHT.tolist(), BIAS.tolist()
    logits = [sum(x[i] * weight[i][j] for i in range(D)) + bias[j] for j in range(CLASSES)]
    normalizer = math.log(sum(math.exp(z) for z in logits))
    scores = [z - normalizer for z in logits]
    chosen = label if target is None else target
    best_other = max(score for j, score in enumerate(scores) if j != chosen)
    margin = scores[chosen] - best_other if target is None else best_other - scores[chosen]
    confidence = options.get("confidence", 0.0)
    distortion = NORMS[options.get("norm", "l1")]([a - b for a, b in zip(x, clean, strict=True)])
    attack_loss = max(margin, -confidence)
    return {
        "loss": attack_loss + options.get("c", 0.1) * distortion,
        "attack_loss": attack_loss,
        "distortion": distortion,
        "success": margin < 0 and margin <= -confidence,
        "prediction": scores.index(max(scores)),
    }


@pytest.mark.parametrize("targeted", [False, True], ids=["untargeted", "targeted"])
@pytest.mark.parametrize("parameterization", ["clipped", "tanh"])
@pytest.mark.parametrize(
    "options",
    [{}, {"norm": "l2", "c": 0.7}, {"norm": "linf", "c": 3.0}, {"confidence": 0.4}, {"c": 0.0}],
    ids=str,
)
def test_equation_six(options: dict, parameterization: str, targeted: bool) -> None:
    options = {**options, "parameterization": parameterization}
    targets = TARGETS if targeted else None
    theta = normal(B, N, D, seed=4)
    seen = attack(**options, targets=targets)(theta)
    successes = set()
    for b in range(B):
        for n in range(N):
            clean, point = images()[b].flatten().tolist(), theta[b, n].tolist()
            target = int(TARGETS[b]) if targeted else None
            expected = by_hand(clean, point, int(LABELS[b]), target, options)
            for name, value in expected.items():
                assert getattr(seen, name)[b, n].item() == pytest.approx(value, rel=1e-9), name
            successes.add(expected["success"])
    assert successes == {True, False}, "both outcomes must occur"


def test_success_means_the_prediction_changed() -> None:
    theta = 2 * normal(B, 50, D, seed=5)
    untargeted, targeted = attack()(theta), attack(targets=TARGETS)(theta)
    assert torch.equal(untargeted.success, untargeted.prediction != LABELS[:, None])
    assert torch.equal(targeted.success, targeted.prediction == TARGETS[:, None])
    assert torch.equal(untargeted.prediction, targeted.prediction)


def test_in_a_tie_the_victim_decides() -> None:
    tied = BlackBoxAttack(lambda x: torch.zeros(len(x), CLASSES).double(), images(), LABELS)
    seen = tied(torch.zeros(B, 1, D, dtype=torch.float64))
    assert (seen.attack_loss == 0).all()
    assert torch.equal(seen.success[:, 0], seen.prediction[:, 0] != LABELS)
    assert 0 < seen.success.sum() < B


@pytest.mark.parametrize("confidence", [0.5, 2.0])
def test_confidence_asks_for_a_margin(confidence: float) -> None:
    theta = 3 * normal(B, 50, D, seed=6)
    plain, confident = attack()(theta), attack(confidence=confidence)(theta)
    assert (confident.attack_loss >= -confidence).all()
    assert torch.equal(confident.success, confident.attack_loss == -confidence)
    assert (confident.success <= plain.success).all()
    assert confident.success.sum() < plain.success.sum()


@pytest.mark.parametrize("parameterization", ["clipped", "tanh"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_adversarial_images_are_exactly_in_the_unit_box(
    parameterization: str, scale: float, dtype: torch.dtype
) -> None:
    clean = images().to(dtype)
    clean.view(-1)[:4] = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=dtype)
    problem = BlackBoxAttack(victim, clean, LABELS, parameterization=parameterization)
    theta = scale * normal(B, 200, D, seed=7, dtype=dtype)
    x = problem.adversarial(theta)
    assert x.dtype == dtype
    assert x.min() >= 0
    assert x.max() <= 1
    assert problem(theta).loss.isfinite().all()


@pytest.mark.parametrize("parameterization", ["clipped", "tanh"])
def test_zero_is_the_clean_image(parameterization: str) -> None:
    problem = attack(parameterization=parameterization)
    x = problem.adversarial(torch.zeros(B, 1, D, dtype=torch.float64))
    assert torch.allclose(x[:, 0], images().flatten(1), atol=1e-6, rtol=0)


def test_the_start_is_small_and_the_same_for_any_batch(dtype: torch.dtype) -> None:
    problem = BlackBoxAttack(victim, images().to(dtype), LABELS)
    start = problem.start()
    assert start.dtype == dtype
    assert torch.equal(start, start[:1].expand(B, -1))
    assert torch.equal(problem[torch.tensor([2, 0])].start(), start[:2])
    torch.manual_seed(99)
    assert torch.equal(problem.start(), start)
    assert 0 < start.abs().max() < 1e-3


def test_rows_are_attacks_of_their_own() -> None:
    rows, theta = torch.tensor([2, 0, 2]), normal(3, N, D, seed=8)
    part = attack(targets=TARGETS)[rows](theta)
    for i, row in enumerate(rows.tolist()):
        alone = attack(targets=TARGETS)[row : row + 1](theta[i : i + 1])
        assert torch.allclose(alone.loss[0], part.loss[i], rtol=1e-14)
        assert torch.equal(alone.success[0], part.success[i])


@pytest.mark.parametrize("value", [-1e-3, 1.001, math.nan, math.inf])
def test_images_outside_the_unit_box_are_refused(value: float) -> None:
    bad = images()
    bad.view(-1)[5] = value
    with pytest.raises(InvalidInput, match=r"^images=.*\[0, 1\]"):
        BlackBoxAttack(victim, bad, LABELS)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("norm", {"norm": "l3"}),
        ("c", {"c": -0.1}),
        ("c", {"c": math.nan}),
        ("confidence", {"confidence": -1.0}),
        ("parameterization", {"parameterization": "sigmoid"}),
    ],
)
def test_bad_options_are_refused(field: str, options: dict) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}={options[field]}"):
        attack(**options)


def test_a_batch_of_wrong_rank_is_refused() -> None:
    with pytest.raises(InvalidInput, match="images="):
        BlackBoxAttack(victim, images().flatten(1), LABELS)


def test_a_smaller_perturbation_is_scaled_bilinearly() -> None:
    """Doubling a row (a, b): a, 3/4 a + 1/4 b, 1/4 a + 3/4 b, b."""
    grey = torch.full((1, 1, 2, 4), 0.5, dtype=torch.float64)
    problem = BlackBoxAttack(lambda x: x.flatten(1)[:, :2], grey, torch.tensor([0]), resize=[2, 2])
    assert problem.dimension == 4
    assert problem.start().shape == (1, 4)
    theta = torch.tensor([[[0.1, 0.2, -0.1, 0.3]]], dtype=torch.float64)
    weights = torch.tensor([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]], dtype=torch.float64)
    expected = theta.view(2, 2) @ weights.T
    torch.testing.assert_close(problem.variable.full_size(theta).view(2, 4), expected)
    torch.testing.assert_close(problem.adversarial(theta).view(2, 4), 0.5 + expected)
    torch.testing.assert_close(problem(theta).distortion[0, 0], expected.abs().sum())


def test_one_pixel_shifts_every_channel_and_the_full_size_changes_nothing() -> None:
    pixel = attack(resize=[1, 1])
    channels = SHAPE[1]
    theta = 0.1 * normal(len(LABELS), 3, channels)
    spread = pixel.variable.full_size(theta).view(len(LABELS), 3, *SHAPE[1:])
    torch.testing.assert_close(spread, theta[..., None, None].expand_as(spread))
    theta = normal(len(LABELS), 3, D)
    same, plain = attack(resize=list(SHAPE[2:])), attack()
    assert torch.equal(same(theta).loss, plain(theta).loss)


@pytest.mark.parametrize("resize", [[0, 2], [3], [1, 2, 3]])
def test_a_size_that_is_no_picture_is_named(resize: list[int]) -> None:
    with pytest.raises(InvalidInput, match=r"resize"):
        attack(resize=resize)

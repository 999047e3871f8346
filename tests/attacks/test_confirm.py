"""A victim that answers at random: a success counts where more looks agree."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.attacks.test_attacks import attacks
from tests.attacks.test_distortion import zoo
from tests.attacks.victims import LinearVictim, labelled, pictures
from tests.methods import composed
from tests.problems import quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees.threat_model import LInfBall
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.sampling import GaussianSampling
from zol2l.updates import SGD

B, BALL = 40, LInfBall(0.02)
NAMES = ("square", "nes_pgd", "zo_ngd", "bandits_td")


class Noisy:
    """A victim with noise of standard deviation `sd` on its logits; counts the images it sees."""

    def __init__(self, victim: LinearVictim, sd: float) -> None:
        self.victim, self.sd, self.generator, self.calls = victim, sd, seeded(5), 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += len(x)
        logits = self.victim(x)
        noise = torch.randn(logits.shape, generator=self.generator, dtype=logits.dtype)
        return logits + self.sd * noise


def attacked(name: str, confirm: int, sd: float = 1.5) -> tuple[float, float, int, int]:
    """The share said to succeed, the share that does without noise, queries and calls."""
    linear, images = LinearVictim(), pictures(B)
    labels, noisy = labelled(linear, images), Noisy(linear, sd)
    result = attacks(BALL, confirm=confirm)[name](noisy, images, labels)
    truly = linear(result.adversarial).argmax(dim=1) != labels
    said = result.success.double().mean().item()
    return said, truly.double().mean().item(), int(result.queries.sum()), noisy.calls


@pytest.mark.parametrize("name", NAMES)
def test_one_lucky_answer_is_no_success_where_more_looks_must_agree(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    said, truly, queries, calls = attacked(name, confirm=0)
    assert said > truly + 0.4, "the fault that confirm is for"
    assert not caplog.messages
    confirmed, _, more, made = attacked(name, confirm=10)
    assert confirmed < truly + 0.2
    assert (queries, more) == (calls, made)
    assert "answers the same image differently" in caplog.text


@pytest.mark.parametrize("name", NAMES)
def test_a_victim_that_keeps_its_word_costs_the_looks_and_nothing_else(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    linear, images = LinearVictim(), pictures(B)
    labels = labelled(linear, images)
    plain, looked = (
        attacks(LInfBall(0.3), confirm=k)[name](linear, images, labels) for k in (0, 3)
    )
    assert torch.equal(plain.adversarial, looked.adversarial)
    assert plain.success.any() and torch.equal(plain.success, looked.success)
    assert torch.equal(looked.queries - plain.queries, 3 * plain.success)
    assert not caplog.messages


@pytest.mark.parametrize("name", [*NAMES, "zoo"])
@pytest.mark.parametrize("sd", [0.0, 1.5])
def test_the_budget_stays_hard(name: str, sd: float) -> None:
    linear, images = LinearVictim(), pictures(B)
    labels, noisy = labelled(linear, images), Noisy(linear, sd)
    small = {"budget": 40, "confirm": 4}
    made = zoo(threat=BALL, searches=2, steps=8, patience=4, **small)
    attack = {**attacks(BALL, **small), "zoo": made}[name]
    result = attack(noisy, images, labels)
    assert result.queries.max() <= 40
    assert int(result.queries.sum()) == noisy.calls


def test_confirm_needs_a_problem_that_knows_success() -> None:
    with pytest.raises(InvalidInput, match="optimizee=Quadratic: a problem that answers success"):
        oracle = Oracle(quadratic(2, 2), confirm=1)
        run(composed(GaussianSampling(2), SGD(1.0)), oracle, 2, seeded())
    with pytest.raises(InvalidInput, match="confirm=-1"):
        Oracle(quadratic(2, 2), confirm=-1)

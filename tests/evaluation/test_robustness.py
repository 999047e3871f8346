"""What a classifier withstands does not depend on chunks; transfer attacks ask their source."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tests.maximizers.cases import network
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.evaluation.robustness import (
    Attacker,
    RobustnessProtocol,
    accuracy,
    other_radii,
    withstand,
)
from zol2l.maximizers import CrossEntropy, Margin
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.pgd import PGD
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.optimizees.threat_model import LInfBall

IMAGES = torch.rand(7, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
LABELS = torch.arange(7) % 3
BALL = LInfBall(0.1)


@pytest.mark.parametrize("chunk", [1, 3, 7, 50])
def test_chunks_do_not_matter(chunk: int) -> None:
    attacker = Attacker(PGD(4), CrossEntropy())
    whole = withstand(network(), attacker, IMAGES, LABELS, BALL, seed=5, chunk=7)
    parts = withstand(network(), attacker, IMAGES, LABELS, BALL, seed=5, chunk=chunk)
    torch.testing.assert_close(parts.adversarial, whole.adversarial, rtol=0, atol=1e-12)
    torch.testing.assert_close(parts.trajectory, whole.trajectory)
    assert parts.trajectory.shape == (7, 4)


def test_the_last_iterate_is_judged_by_the_classifier_under_test() -> None:
    classifier = network().train()
    seen = withstand(classifier, Attacker(PGD(4), Margin()), IMAGES, LABELS, BALL)
    assert classifier.training
    logits = classifier.eval()(seen.adversarial)
    assert torch.equal(seen.predicted, logits.argmax(1))
    assert torch.equal(seen.correct, seen.predicted == LABELS)
    torch.testing.assert_close(seen.loss, cross_entropy(logits, LABELS, reduction="none"))


def test_an_answer_of_nan_knows_no_image() -> None:
    class Silent(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.full((len(images), 3), torch.nan)

    seen = withstand(Silent(), Attacker(NoMaximizer(), CrossEntropy()), IMAGES, LABELS, BALL)
    assert (seen.predicted == -1).all() and not seen.correct.any()


def test_an_attacker_that_broke_is_named() -> None:
    learned = RNNMaximizer(steps=2)
    nn.init.constant_(next(learned.parameters()), torch.nan)
    with pytest.raises(InvalidInput, match="attackers=RNNMaximizer: one whose images are numbers"):
        withstand(network(), Attacker(learned.double(), CrossEntropy()), IMAGES, LABELS, BALL)


@pytest.mark.parametrize(("eps", "radii"), [(0.3, [0.5, 1.5, 2]), (0.6, [0.5, 1.5]), (1, [0.5])])
def test_no_radius_is_beyond_the_largest(eps: float, radii: list[float]) -> None:
    assert other_radii(LInfBall(eps)) == radii


def test_no_attack_is_accuracy_on_clean_images() -> None:
    known = (network().eval()(IMAGES).argmax(1) == LABELS).double().mean().item()
    assert accuracy(network(), NoMaximizer(), IMAGES, LABELS, BALL) == known


def test_a_transfer_attack_takes_the_gradients_of_its_source() -> None:
    target, source = network(0), network(1)
    asked = {"target": 0, "source": 0}
    for name, net in (("target", target), ("source", source)):
        net.register_forward_hook(lambda *_, n=name: asked.update({n: asked[n] + 1}))
    attacker = Attacker(PGD(4), CrossEntropy(), source)
    seen = withstand(target, attacker, IMAGES, LABELS, BALL)
    assert asked == {"target": 1, "source": 4}
    own = withstand(network(1), replace(attacker, source=None), IMAGES, LABELS, BALL)
    assert torch.equal(seen.adversarial, own.adversarial)


@pytest.mark.parametrize("field", ["images", "radius_images", "chunk"])
def test_bad_protocols_are_named(field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}=0"):
        RobustnessProtocol(**{field: 0})

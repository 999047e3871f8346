"""NES-PGD's update against the rule written out for one instance in plain Python."""

from __future__ import annotations

import torch

from tests.problems import normal
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import MomentumSign

B, D, STEPS = 3, 4, 40


def by_hand(
    gradients: list, losses: list, rate: float, beta: float, patience: int, floor: float
) -> list:
    momentum, history, steps = [0.0] * D, [], []
    for gradient, loss in zip(gradients, losses, strict=True):
        momentum = [beta * m + (1 - beta) * g for m, g in zip(momentum, gradient, strict=True)]
        history = [*history, loss][-patience:]
        if len(history) == patience and history[-1] > history[0]:
            rate, history = max(rate / 2, floor), []
        steps.append([-rate * ((m > 0) - (m < 0)) for m in momentum])
    return steps


def test_it_follows_the_published_rule_for_each_instance() -> None:
    gradients, losses = normal(STEPS, B, D, seed=1), normal(STEPS, B, 1, seed=2)
    update = MomentumSign(0.4, beta=0.8, patience=3, floor=0.03)
    state = update.init(gradients[0])
    deltas = []
    for gradient, loss in zip(gradients, losses, strict=True):
        delta, state = update(GradientEstimate(gradient, Evaluation(loss)), state)
        deltas.append(delta)
    for b in range(B):
        expected = by_hand(gradients[:, b].tolist(), losses[:, b, 0].tolist(), 0.4, 0.8, 3, 0.03)
        assert torch.allclose(torch.stack(deltas)[:, b], torch.tensor(expected).double())
    assert state.rate.min() == 0.03, "the floor is reached, or it is not tested"
    assert len(state.rate.unique()) > 1 or len({float(d.abs().max()) for d in deltas}) > 2

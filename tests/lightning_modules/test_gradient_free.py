"""An optimizer is trained on a NumPy function with steps, of which nobody knows a gradient."""

from __future__ import annotations

import pytest
import torch

from lightning_modules.meta_training import MetaTraining
from lightning_modules.truncation import TruncationSchedule
from tests.lightning_modules import toys
from zol2l.errors import InvalidInput
from zol2l.estimators import CoordinatewiseGradient, ForwardDifference
from zol2l.optimizees import FunctionFamily
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling
from zol2l.updates import UpdateRNN

MU = 0.2
"""Twice the width of the function's steps: what matters is the slope that they form together."""


def job(family: FunctionFamily, **changes: object) -> MetaTraining:
    torch.manual_seed(0)
    optimizer = ComposedOptimizer(GaussianSampling(4), ForwardDifference(), UpdateRNN())
    settings = {"stage": "update", "meta_steps": 100, "rate": 1e-2, **changes}
    return MetaTraining(optimizer, family, TruncationSchedule(20, 5), **settings)


@pytest.fixture
def terraced(monkeypatch: pytest.MonkeyPatch) -> FunctionFamily:
    path = "tests.functions.terraced_sphere"
    family = FunctionFamily(path, 6, 6, 6, dimension=5, smoothing=MU, numpy=True)
    monkeypatch.setattr(toys, "FAMILY", family)
    return family


def test_training_without_gradients_lowers_the_loss(terraced: FunctionFamily) -> None:
    module = job(terraced, gradient=CoordinatewiseGradient(MU))
    before = module.validate()
    toys.train(module)
    after = module.validate()
    assert after["final_loss"] < 0.3 * before["final_loss"], (before, after)
    assert after["meta_loss"] < 0.5 * before["meta_loss"], (before, after)


def test_autograd_cannot_and_says_what_can(terraced: FunctionFamily) -> None:
    with pytest.raises(InvalidInput, match="coordinatewise"):
        toys.train(job(terraced))


def test_where_there_is_a_gradient_both_take_the_same_first_meta_step() -> None:
    family = FunctionFamily("tests.functions.sphere", 4, 4, 4, dimension=3, dtype="float64")
    slopes = []
    for gradient in ({}, {"gradient": CoordinatewiseGradient(1e-3)}):
        module = job(family, **gradient).double()
        module.generator = torch.Generator().manual_seed(0)
        _, objective, _ = module.unroll_window(module._start(torch.tensor([0, 3])))
        objective.backward()
        slopes.append(torch.cat([p.grad.flatten() for p in module.learned.parameters()]))
    assert slopes[0].abs().max() > 1e-3
    assert torch.allclose(*slopes, rtol=1e-7, atol=1e-10)

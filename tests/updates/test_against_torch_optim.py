"""SGD, Adam and SignSGD take torch.optim's steps when they are given the same gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.problems import normal
from zol2l.errors import InvalidInput
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import SGD, Adam, SignSGD, Update

STEPS, INSTANCES, DIMENSION = 12, 3, 5
RATE = 0.7


class TorchSignSGD(torch.optim.SGD):
    """torch.optim.SGD on the signs of the gradients."""

    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad.sign_()
        super().step()


def estimate(gradient: Tensor) -> GradientEstimate:
    return GradientEstimate(gradient, Evaluation(gradient[:, :1]))


def path(rule: Update, gradients: Tensor) -> Tensor:
    theta = torch.zeros_like(gradients[0])
    state, thetas = rule.init(theta), []
    for gradient in gradients:
        delta, state = rule(estimate(gradient), state)
        theta = theta + delta
        thetas.append(theta)
    return torch.stack(thetas)


def torch_path(build: Callable[[list[Tensor]], torch.optim.Optimizer], gradients: Tensor) -> Tensor:
    theta = torch.zeros_like(gradients[0]).requires_grad_()
    optimizer, thetas = build([theta]), []
    for gradient in gradients:
        theta.grad = gradient.clone()
        optimizer.step()
        thetas.append(theta.detach().clone())
    return torch.stack(thetas)


LR = RATE / DIMENSION
PAIRS = {
    "sgd": (SGD(RATE), lambda p: torch.optim.SGD(p, lr=LR)),
    "sign_sgd": (SignSGD(RATE), lambda p: TorchSignSGD(p, lr=LR)),
    "adam": (Adam(RATE), lambda p: torch.optim.Adam(p, lr=LR, betas=(0.9, 0.996))),
    "adam, other settings": (
        Adam(RATE, beta1=0.5, beta2=0.9, eps=1e-2),
        lambda p: torch.optim.Adam(p, lr=LR, betas=(0.5, 0.9), eps=1e-2),
    ),
    "adam without momentum": (
        Adam(RATE, beta1=0.0),
        lambda p: torch.optim.Adam(p, lr=LR, betas=(0.0, 0.996)),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_steps_equal_torch_optims(name: str, dtype: torch.dtype) -> None:
    rule, build = PAIRS[name]
    gradients = 10 * normal(STEPS, INSTANCES, DIMENSION, seed=1, dtype=dtype)
    tolerance = 50 * torch.finfo(dtype).eps
    ours, theirs = path(rule, gradients), torch_path(build, gradients)
    assert ours.dtype == dtype
    assert torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", PAIRS)
def test_a_zero_gradient_does_not_move(name: str) -> None:
    moved = path(PAIRS[name][0], torch.zeros(2, 1, 3, dtype=torch.float64))
    assert torch.equal(moved, torch.zeros_like(moved))


@pytest.mark.parametrize("name", PAIRS)
def test_instances_keep_moments_of_their_own(name: str) -> None:
    gradients = normal(STEPS, INSTANCES, DIMENSION, seed=2)
    alone = path(PAIRS[name][0], gradients[:, 1:2])
    assert torch.equal(path(PAIRS[name][0], gradients)[:, 1:2], alone)


@pytest.mark.parametrize(
    ("build", "settings", "field"),
    [
        (SGD, {"rate": 0.0}, "rate"),
        (SignSGD, {"rate": -1.0}, "rate"),
        (Adam, {"rate": float("nan")}, "rate"),
        (Adam, {"rate": 1.0, "beta1": 1.0}, "beta1"),
        (Adam, {"rate": 1.0, "beta2": -0.1}, "beta2"),
    ],
)
def test_bad_settings_are_refused(
    build: type[Update], settings: dict[str, float], field: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}={settings[field]}"):
        build(**settings)

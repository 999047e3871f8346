"""The derivative of the optimizee that meta-training needs (and evaluation never does)."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.types import Optimizee


class MetaGradient(Protocol):
    """theta (B, D) -> value f(theta) and gradient, (B,) and (B, D), both detached."""

    def __call__(self, optimizee: Optimizee, theta: Tensor) -> tuple[Tensor, Tensor]: ...


def autograd_gradient(optimizee: Optimizee, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Value and exact gradient by backpropagation through the optimizee (section 3.3).

    `zol2l.estimators.CoordinatewiseGradient` does without a gradient (equation 5).
    """
    with torch.enable_grad():
        leaf = theta.detach().requires_grad_()
        loss = optimizee(leaf[:, None]).loss[:, 0]
        allowed = "this problem has no gradient; take meta_gradient=coordinatewise"
        require(loss.requires_grad, "meta_gradient", "autograd", allowed)
        (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    return loss.detach(), gradient


def attached_loss(
    optimizee: Optimizee, theta: Tensor, gradient: MetaGradient = autograd_gradient
) -> Tensor:
    """f(theta) (B,) whose derivative with respect to theta is `gradient`'s.

    f + <g, theta - stop(theta)> with g constant: differentiating it through theta(phi) gives
    exactly d/dphi f(theta(phi)), while no graph of the optimizee outlives this call.
    """
    value, slope = gradient(optimizee, theta)
    slope = slope.nan_to_num(0.0, 0.0, 0.0)  # a NaN loss stays visible in the value alone
    return value + (slope * (theta - theta.detach())).sum(dim=-1)


class Remembering:
    """A meta-gradient that is not asked twice in a row for the same point of the same problem."""

    def __init__(self, gradient: MetaGradient) -> None:
        self.gradient = gradient
        self.last: tuple[Optimizee, Tensor, tuple[Tensor, Tensor]] | None = None

    def __call__(self, optimizee: Optimizee, theta: Tensor) -> tuple[Tensor, Tensor]:
        if self.last is None or self.last[0] is not optimizee or self.last[1] is not theta:
            self.last = optimizee, theta, self.gradient(optimizee, theta)
        return self.last[2]

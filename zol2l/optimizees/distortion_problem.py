"""The objective of C&W and ZOO: distortion plus a weighted attack loss (Carlini & Wagner 2017)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.variable import Variable
from zol2l.types import Evaluation, Optimizee


class DistortionProblem(Optimizee):
    """f(theta) = ||delta||_2^2 + c max(margin(x + delta), -kappa) with delta of theta as `variable`
    says, then projected onto the threat model. `weight` (B,) is c of each instance.
    """

    smoothing = {torch.float32: 1e-4, torch.float64: 1e-4}  # ZOO's h

    def __init__(self, inner: ConstrainedAttack, weight: Tensor, variable: Variable) -> None:
        self.inner, self.weight = inner, weight
        self.instances = inner.instances
        self.become(variable)

    def become(self, variable: Variable) -> None:
        """Take other variables for the same images."""
        self.variable, self.dimension = variable, variable.dimension

    def __call__(self, theta: Tensor) -> Evaluation:
        delta = self.perturbation(theta)
        seen = self.inner(delta)
        return replace(seen, loss=delta.square().sum(dim=-1) + self.weight[:, None] * seen.loss)

    def perturbation(self, theta: Tensor) -> Tensor:
        """Delta (B, n, C H W) of theta (B, n, D)."""
        clean = self.inner.clean()[:, None]
        return self.inner.threat.project(self.variable(theta, clean) - clean, clean)

    def project(self, theta: Tensor) -> Tensor:
        """Where theta is delta itself, it stays in the threat model; elsewhere it is free."""
        pixels = not self.variable.tanh and self.variable.shape == self.variable.image
        return self.perturbation(theta[:, None])[:, 0] if pixels else theta

    def adversarial(self, theta: Tensor) -> Tensor:
        """The images (B, C, H, W) that the variables theta (B, D) stand for."""
        return self.inner.adversarial(self.perturbation(theta[:, None])[:, 0])

    def start(self) -> Tensor:
        return self.inner.images.new_zeros(self.instances, self.dimension)

    def __getitem__(self, rows: Any) -> Self:
        part = copy.copy(self)
        part.inner, part.weight = self.inner[rows], self.weight[rows]
        part.instances = part.inner.instances
        return part

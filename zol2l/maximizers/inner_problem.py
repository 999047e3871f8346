"""The inner problem of adversarial training: the worst image near each image of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from zol2l.maximizers.objectives import Objective
from zol2l.networks.modes import evaluating
from zol2l.optimizees.threat_model import ThreatModel


class InnerProblem:
    """max over x' in the threat model around x of L(f(x'), y), for each of B images (equation 1 or
    2 of Xiong & Hsieh, ECCV 2020). No instance sees another: f is asked in evaluation mode.

    `pairs` counts forward-backward passes of the batch, `forwards` forward passes alone.
    """

    def __init__(
        self,
        classifier: nn.Module,
        objective: Objective,
        images: Tensor,
        labels: Tensor,
        threat: ThreatModel,
    ) -> None:
        self.classifier, self.objective, self.threat = classifier, objective, threat
        self.images, self.labels = images, labels
        self.pairs = self.forwards = 0
        self.clean: Tensor | None = None
        if objective.needs_clean:
            with torch.no_grad(), self._asking():
                self.clean = classifier(images)
            self.forwards += 1

    def __len__(self) -> int:
        return len(self.images)

    def slope(self, adversarial: Tensor) -> tuple[Tensor, Tensor]:
        """L (B,) and its gradient (B, C, H, W) at images x' (B, C, H, W); both constants."""
        point = adversarial.detach().requires_grad_()
        with torch.enable_grad(), self._asking():
            values = self._values(point)
            (gradient,) = torch.autograd.grad(values.sum(), point)
        self.pairs += 1
        return values.detach(), gradient

    @torch.no_grad()
    def value(self, adversarial: Tensor) -> Tensor:
        """L (B,) at images x' (B, C, H, W)."""
        with self._asking():
            values = self._values(adversarial)
        self.forwards += 1
        return values

    def project(self, adversarial: Tensor) -> Tensor:
        """The nearest allowed images (B, C, H, W), in [0, 1]."""
        change, clean = (adversarial - self.images).flatten(1), self.images.flatten(1)
        nearest = self.threat.project(change, clean).view_as(adversarial)
        return (self.images + nearest).clamp(0, 1)

    def repeated(self, copies: int) -> InnerProblem:
        """The same problems `copies` times: (copies * B,), counted on their own."""
        shape = (copies, *[1] * (self.images.dim() - 1))
        problem = InnerProblem.__new__(InnerProblem)
        problem.__dict__.update(self.__dict__)
        problem.images, problem.labels = self.images.repeat(shape), self.labels.repeat(copies)
        problem.clean = None if self.clean is None else self.clean.repeat(copies, 1)
        return problem

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The classifier in evaluation mode, and where answers are compared that are nearly the
        same, as at the start of TRADES' maximizer, without autocast: they drown in its rounding.
        """
        exact = torch.autocast(self.images.device.type, enabled=False)
        with evaluating(self.classifier), exact if self.objective.needs_clean else nullcontext():
            yield

    def _values(self, adversarial: Tensor) -> Tensor:
        return self.objective.inner(self.classifier(adversarial), self.labels, self.clean)

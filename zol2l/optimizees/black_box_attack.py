"""Black-box adversarial attack as an optimization problem (ZO-L2L equation 6; C&W 2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.image_attack import ImageAttack
from zol2l.optimizees.variable import Variable
from zol2l.types import Evaluation

Norm = Literal["l1", "l2", "linf"]
Parameterization = Literal["clipped", "tanh"]
ORDER = {"l1": 1.0, "l2": 2.0, "linf": float("inf")}

START_SCALE = 1e-4
"""The start is START_SCALE * N(0, I), one fixed seed for all methods (authors' release)."""
START_SEED = 123


class BlackBoxAttack(ImageAttack):
    """f(theta) = max(margin, -confidence) + c ||x - x0||_p with x in [0, 1]^D.

    margin = F_label - max_{j != label} F_j on log-probabilities F, negative once the label is lost;
    with `targets` (B,) it is max_{j != target} F_j - F_target. The perturbation theta is either
    `clipped`, x = clip(x0 + theta, 0, 1), or lives in `tanh` space, x = (tanh(w0 + theta) + 1) / 2.
    With `resize` (h, w) theta is a smaller picture, D = C h w, scaled bilinearly to the size of the
    image (appendix C.1). Success: the predicted label is no longer the true one (is the target), by
    `confidence`.

    victim: images (m, C, H, W) in [0, 1] -> logits (m, classes); it is used as it is, in
    evaluation mode. images (B, C, H, W), labels (B,). One query is one image classified.
    """

    smoothing = {torch.float32: 1e-5, torch.float64: 1e-6}

    def __init__(
        self,
        victim: Callable[[Tensor], Any],
        images: Tensor,
        labels: Tensor,
        *,
        targets: Tensor | None = None,
        norm: Norm = "l1",
        c: float = 0.1,
        confidence: float = 0.0,
        parameterization: Parameterization = "clipped",
        resize: Sequence[int] | None = None,
    ) -> None:
        super().__init__(victim, images, Goal(labels, targets))
        check_attack(norm, c, confidence, parameterization, resize)
        self.norm, self.c, self.confidence = norm, c, confidence
        image = tuple(self.images.shape[1:])
        shape = (image[0], *(resize or image[1:]))
        self.variable = Variable(shape, image, parameterization == "tanh")
        self.dimension = self.variable.dimension

    def __call__(self, theta: Tensor) -> Evaluation:
        x = self.adversarial(theta)
        distortion = torch.linalg.vector_norm(x - self._clean(), ord=ORDER[self.norm], dim=-1)
        scores, prediction = self.scores(x)
        margin = self.goal.margin(scores)
        attack_loss = margin.clamp(min=-self.confidence)
        return Evaluation(
            loss=attack_loss + self.c * distortion,
            success=self.goal.achieved(prediction, margin, self.confidence),
            attack_loss=attack_loss,
            distortion=distortion,
            prediction=prediction,
            log_likelihood=self.goal.log_likelihood(scores),
        )

    def adversarial(self, theta: Tensor) -> Tensor:
        """The images x (B, n, D) in [0, 1] that the variables theta (B, n, D) stand for."""
        return self.variable(theta, self._clean())

    def start(self) -> Tensor:
        generator = torch.Generator().manual_seed(START_SEED)
        noise = torch.randn(self.dimension, generator=generator, dtype=torch.float64)
        return (START_SCALE * noise).to(self.images).repeat(self.instances, 1)

    def _clean(self) -> Tensor:
        return self.images.flatten(1)[:, None]


def check_attack(
    norm: Norm = "l1",
    c: float = 0.1,
    confidence: float = 0.0,
    parameterization: Parameterization = "clipped",
    resize: Sequence[int] | None = None,
) -> None:
    """Refuse settings of the attack that mean nothing, whatever the images."""
    require(norm in ORDER, "norm", norm, f"one of {', '.join(ORDER)}")
    require(c >= 0, "c", c, "a weight c >= 0")
    require(confidence >= 0, "confidence", confidence, "at least 0")
    known = parameterization in ("clipped", "tanh")
    require(known, "parameterization", parameterization, "clipped or tanh")
    sized = resize is None or (len(resize) == 2 and min(resize) >= 1)
    require(sized, "resize", resize, "null or [height, width], each at least 1")

"""What a defense's two players want: L of equations 1 and 2 (Xiong & Hsieh, ECCV 2020)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div

from zol2l.errors import require
from zol2l.optimizees.goals import Goal

Classify = Callable[[Tensor], Tensor]
"""Images (m, C, H, W) in [0, 1] -> logits (m, classes)."""


class Objective(ABC):
    """The maximizer raises `inner` of each image, the classifier's weights lower `outer`."""

    needs_clean = False
    """Whether `inner` compares with the logits of the clean images."""

    @abstractmethod
    def inner(self, logits: Tensor, labels: Tensor, clean: Tensor | None) -> Tensor:
        """L(f(x'), y) (B,) of logits f(x') (B, classes); `clean` are those of x, no gradient."""

    @abstractmethod
    def outer(
        self, classify: Classify, images: Tensor, adversarial: Tensor, labels: Tensor
    ) -> Tensor:
        """The loss of the weights, a scalar: the mean over images (B, C, H, W) and over the copies
        of them in `adversarial` (copies, B, C, H, W).
        """


class CrossEntropy(Objective):
    """L = -log f(x')_y (equation 1). With `clean` the classifier sees each image and its
    adversarial copies, all with the same weight, as in L2LDA.
    """

    def __init__(self, clean: bool = False) -> None:
        self.clean = clean

    def inner(self, logits: Tensor, labels: Tensor, clean: Tensor | None) -> Tensor:
        return cross_entropy(logits, labels, reduction="none")

    def outer(
        self, classify: Classify, images: Tensor, adversarial: Tensor, labels: Tensor
    ) -> Tensor:
        shown = [*adversarial, images] if self.clean else list(adversarial)
        return torch.stack([cross_entropy(classify(x), labels) for x in shown]).mean()


class Trades(Objective):
    """L = KL(f(x) || f(x')); the weights lower -log f(x)_y + beta KL(f(x) || f(x')) (equation 2
    with beta = 1/lambda; Zhang et al., ICML 2019).
    """

    needs_clean = True

    def __init__(self, beta: float) -> None:
        require(beta > 0, "beta", beta, "a positive weight 1/lambda")
        self.beta = beta

    def inner(self, logits: Tensor, labels: Tensor, clean: Tensor | None) -> Tensor:
        assert clean is not None, "an InnerProblem gives it where `needs_clean`"
        return divergence(clean, logits)

    def outer(
        self, classify: Classify, images: Tensor, adversarial: Tensor, labels: Tensor
    ) -> Tensor:
        clean = classify(images)
        apart = torch.stack([divergence(clean, classify(x)).mean() for x in adversarial]).mean()
        return cross_entropy(clean, labels) + self.beta * apart


class Margin(CrossEntropy):
    """L = max_{j != y} log f(x')_j - log f(x')_y, what an l_inf C&W attack raises."""

    def inner(self, logits: Tensor, labels: Tensor, clean: Tensor | None) -> Tensor:
        return -Goal(labels).margin(logits.log_softmax(dim=-1)[:, None])[:, 0]


def divergence(clean: Tensor, logits: Tensor) -> Tensor:
    """KL(softmax(clean) || softmax(logits)) (B,)."""
    target, other = clean.log_softmax(dim=-1), logits.log_softmax(dim=-1)
    return kl_div(other, target, reduction="none", log_target=True).sum(dim=-1)

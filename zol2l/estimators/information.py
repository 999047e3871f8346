"""Fisher information from the queries of a gradient estimate (Zhao et al., AAAI 2020).

F = sum_k w_k grad log p_k grad log p_k^T over outcomes k of the black box's answer. Which outcomes
and weights: the classes of this file. They cost no queries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from zol2l.errors import require
from zol2l.types import Evaluation


class Information(ABC):
    """The outcomes whose log-likelihoods are differentiated, and their weights at the iterate."""

    @abstractmethod
    def outcomes(self, evaluation: Evaluation) -> Tensor:
        """Log-likelihoods (B, n, K) of the outcomes at n points."""

    @abstractmethod
    def weights(self, base: Tensor, generator: torch.Generator) -> Tensor:
        """Weights (B, K) of outcomes with log-likelihoods `base` (B, K) at the iterate."""

    def scores(
        self, seen: Evaluation, slope: Tensor, gradient: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Exact grad log p_k (B, K, D) at the iterate that was `seen` (n = 1). `gradient` goes back
        from values (B, 1) to (B, D), as it did for `slope`, that of the loss: what follows from the
        loss needs no way back of its own.
        """
        each = self.outcomes(seen).unbind(-1)
        return torch.stack(
            [slope if torch.equal(x, seen.loss) else gradient(x) for x in each], dim=1
        )

    def factor(
        self, base: Evaluation, gradients: Tensor, active: Tensor, generator: torch.Generator
    ) -> Tensor:
        """sqrt(w_k) grad log p_k (B, K, D) of the outcomes' `gradients` (B, K, D) at the iterate of
        `base` (n = 1): F is its square. Zero where not `active` (B,): stopped rows are NaN.
        """
        weights = self.weights(self.outcomes(base.detach())[:, 0], generator)
        shares = torch.where(active.to(weights.device)[:, None], weights, 0)
        shares = shares[..., None]
        return torch.where(shares > 0, shares.sqrt() * gradients, 0)


class OuterProduct(Information):
    """F = grad log p grad log p^T of the one class that the attack changes (equation 12)."""

    def outcomes(self, evaluation: Evaluation) -> Tensor:
        return _seen(evaluation.log_likelihood, "the probability of the label")[..., None]

    def weights(self, base: Tensor, generator: torch.Generator) -> Tensor:
        return torch.ones_like(base)


class TwoOutcome(Information):
    """F = p g g^T + (1 - p) g' g'^T with g = grad log p, g' = grad log(1 - p): equation 9 for the
    outcomes "this class" and "another one" (the released code for MNIST). 1 - p is the sum over the
    other classes where they are seen; else it comes from p, and is no less than what rounding is.
    """

    def outcomes(self, evaluation: Evaluation) -> Tensor:
        seen = _seen(evaluation.log_likelihood, "the probability of the label")
        rest = evaluation.log_rest
        if rest is None:
            rest = torch.log(-torch.expm1(seen.clamp(max=-torch.finfo(seen.dtype).eps)))
        return torch.stack([seen, rest], dim=-1)

    def weights(self, base: Tensor, generator: torch.Generator) -> Tensor:
        return base.exp()


class LogOdds(OuterProduct):
    """F = grad log p grad log p^T with log p = log sigmoid(f), the loss f read as log-odds: the
    margin of equation 2 is those of the label against its strongest rival, and p the likelihood of
    equation 12 among these two classes. Ours. The score, (1 - p) grad f, lies along the gradient: a
    white box takes no backward pass for it, a black box has to show nothing but the loss.
    """

    def outcomes(self, evaluation: Evaluation) -> Tensor:
        return functional.logsigmoid(evaluation.loss)[..., None]

    def scores(
        self, seen: Evaluation, slope: Tensor, gradient: Callable[[Tensor], Tensor]
    ) -> Tensor:
        return torch.sigmoid(-seen.loss)[..., None] * slope[:, None]


class AllClasses(Information):
    """F = sum_k p_k grad log p_k grad log p_k^T over all classes (equation 9)."""

    def outcomes(self, evaluation: Evaluation) -> Tensor:
        return _seen(evaluation.log_probabilities, "the probabilities of all classes")

    def weights(self, base: Tensor, generator: torch.Generator) -> Tensor:
        return base.exp()


class MonteCarlo(AllClasses):
    """Equation 13: `samples` classes drawn from p in place of the expectation."""

    def __init__(self, samples: int = 1) -> None:
        require(samples >= 1, "samples", samples, "at least 1 (n_MC >= 1)")
        self.samples = samples

    def weights(self, base: Tensor, generator: torch.Generator) -> Tensor:
        known = base.isfinite().any(dim=1, keepdim=True)
        chances = torch.where(known, base.nan_to_num(-torch.inf).exp(), 1.0)
        drawn = torch.multinomial(chances, self.samples, replacement=True, generator=generator)
        ones = torch.ones_like(drawn, dtype=base.dtype)
        return torch.zeros_like(base).scatter_add(1, drawn, ones) / self.samples


def _seen(answer: Tensor | None, what: str) -> Tensor:
    require(answer is not None, "information", None, f"a problem that shows {what}")
    assert answer is not None
    return answer

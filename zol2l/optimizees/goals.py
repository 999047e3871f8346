"""What an attack on a classifier is after: losing the true class, or reaching a target class."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from zol2l.types import Rows

LOWEST = -1e4
"""Stands for the logarithm of 0: a victim may answer that a class is impossible."""


def log_probabilities(logits: Tensor) -> Tensor:
    """F (..., classes) of a victim's answers: finite, unless it answers NaN."""
    return logits.log_softmax(dim=-1).clamp(min=LOWEST)


@dataclass(frozen=True)
class Goal(Rows):
    """`labels` (B,) true classes; `targets` (B,) wanted classes, None for untargeted attacks."""

    labels: Tensor
    targets: Tensor | None = None

    def named(self) -> dict[str, Tensor]:
        """Labels, and targets where there are any, by what they are called."""
        targets = {} if self.targets is None else {"targets": self.targets}
        return {"labels": self.labels, **targets}

    @property
    def chosen(self) -> Tensor:
        """The class (B,) whose probability the attack changes: the true one, or the target."""
        return self.labels if self.targets is None else self.targets

    def index(self, scores: Tensor) -> Tensor:
        """`chosen` as an index (B, n, 1) into scores (B, n, classes)."""
        return self.chosen.view(-1, 1, 1).expand(*scores.shape[:2], 1)

    def log_likelihood(self, scores: Tensor) -> Tensor:
        """Log p of `chosen`, (B, n), in log-probabilities `scores` (B, n, classes)."""
        return scores.gather(-1, self.index(scores))[..., 0]

    def reached(self, predicted: Tensor) -> Tensor:
        """Where predicted classes (B, ...) are what was wanted; -1, no class, never is."""
        chosen = self.chosen.view(-1, *[1] * (predicted.ndim - 1))
        if self.targets is None:
            return (predicted != chosen) & (predicted >= 0)
        return predicted == chosen

    def achieved(self, predicted: Tensor, margin: Tensor, confidence: float = 0.0) -> Tensor:
        """Where a predicted class (B, n) is what was wanted, by `confidence`. In a tie it is the
        victim that decides.
        """
        return self.reached(predicted) & (margin <= -confidence)

    def log_rest(self, scores: Tensor) -> Tensor:
        """log(1 - p) of `chosen`, (B, n), as the sum over the other classes: exact near p = 1."""
        return scores.scatter(-1, self.index(scores), -float("inf")).logsumexp(dim=-1)

    def margin(self, scores: Tensor) -> Tensor:
        """How far log-probabilities `scores` (B, n, classes) are from success, (B, n):
        F_label - max_{j != label} F_j, or max_{j != target} F_j - F_target; negative at success.
        """
        index = self.index(scores)
        own = scores.gather(-1, index)[..., 0]
        others = scores.scatter(-1, index, -float("inf")).amax(dim=-1)
        return own - others if self.targets is None else others - own

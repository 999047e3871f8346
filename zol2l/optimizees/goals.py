"""What an attack on a classifier is after: losing the true class, or reaching a target class."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from zol2l.types import Rows


@dataclass(frozen=True)
class Goal(Rows):
    """`labels` (B,) true classes; `targets` (B,) wanted classes, None for untargeted attacks."""

    labels: Tensor
    targets: Tensor | None = None

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
        """Where predicted classes (B,) are what was wanted, (B,)."""
        return predicted != self.labels if self.targets is None else predicted == self.targets

    def margin(self, scores: Tensor) -> Tensor:
        """How far log-probabilities `scores` (B, n, classes) are from success, (B, n):
        F_label - max_{j != label} F_j, or max_{j != target} F_j - F_target; negative at success.
        """
        index = self.index(scores)
        own = scores.gather(-1, index)[..., 0]
        others = scores.scatter(-1, index, -float("inf")).amax(dim=-1)
        return own - others if self.targets is None else others - own


def achieved(margin: Tensor, confidence: float = 0.0) -> Tensor:
    """Where the predicted class is no longer the true one (is the target), by `confidence`."""
    return (margin < 0) & (margin <= -confidence)

"""How long and how fast a robust classifier is trained; the same for all defenses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zol2l.errors import require


@dataclass(frozen=True)
class Recipe:
    """`epochs` over the training images in batches of `batch_size` a device, `accumulate` of which
    make one update. The learning rate falls by `decay_by` at each of `decay_at`, and the radius
    eps rises linearly from 0 during `warmup`, both fractions of the training. `augment` crops and
    reflects at random, `clip` bounds the norm of the classifier's gradient, `ema` keeps a moving
    average of its weights with this decay, which is then what training results in (0: the weights
    themselves). Of the last training images, `held_out` are for validation alone.
    """

    epochs: int
    batch_size: int
    decay_at: Sequence[float] = ()
    decay_by: float = 0.1
    warmup: float = 0.0
    augment: bool = False
    clip: float | None = None
    accumulate: int = 1
    ema: float = 0.0
    held_out: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate"):
            self._check(getattr(self, name) >= 1, name, "at least 1")
        within = all(0 < place < 1 for place in self.decay_at)
        self._check(within, "decay_at", "fractions between 0 and 1")
        self._check(0 < self.decay_by <= 1, "decay_by", "above 0, at most 1")
        self._check(0 <= self.warmup <= 1, "warmup", "a fraction of the training")
        self._check(self.clip is None or self.clip > 0, "clip", "positive, or null")
        self._check(0 <= self.ema < 1, "ema", "a decay below 1; 0: no average")
        self._check(self.held_out >= 0, "held_out", "at least 0")

    def _check(self, valid: bool, name: str, allowed: str) -> None:
        require(valid, name, getattr(self, name), allowed)

    def rate(self, progress: float) -> float:
        """The factor of the learning rate after this fraction of the training."""
        factor: float = self.decay_by ** sum(progress >= place for place in self.decay_at)
        return factor

    def radius(self, progress: float) -> float:
        """The factor of eps after this fraction of the training."""
        return min(1.0, progress / self.warmup) if self.warmup > 0 else 1.0

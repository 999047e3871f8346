"""What meta-training asks of its settings, before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from lightning_modules.truncation import TruncationSchedule
from zol2l.errors import require

Slopes = Literal["derivative", "queries"]


@dataclass(frozen=True, kw_only=True)
class MetaSettings:
    """Those of `MetaTraining` that have a range of their own."""

    schedule: TruncationSchedule
    meta_steps: int
    validate_every: int
    validation_trials: int
    rate: float
    regularization: float
    clamp: float
    slopes: Slopes

    def __post_init__(self) -> None:
        for name in ("meta_steps", "validate_every", "validation_trials"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        whole = self.meta_steps % self.schedule.windows_per_batch == 0
        allowed = f"a multiple of the {self.schedule.windows_per_batch} windows of an unroll"
        require(whole, "meta_steps", self.meta_steps, allowed)
        require(self.regularization >= 0, "regularization", self.regularization, "at least 0")
        require(self.rate > 0, "rate", self.rate, "a positive meta learning rate")
        require(self.clamp > 0, "clamp", self.clamp, "a positive bound")
        require(self.slopes in get_args(Slopes), "slopes", self.slopes, "derivative or queries")

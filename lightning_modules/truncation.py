"""Truncation: how a long unroll is cut into windows for backpropagation through time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from zol2l.errors import require


@dataclass(frozen=True)
class TruncationSchedule:
    """Unrolls of `horizon` steps, cut every `window` steps; one meta-step per window.

    The paper's schedule (`staggered=False`) takes one batch of instances through its whole unroll,
    horizon/window meta-steps in a row that all see the same phase. Staggered, each meta-step
    starts one batch and advances all batches under way by a window, so that every meta-gradient
    averages over all phases of the unroll. Both take the same number of windows per instance.

    `exponent` 1 gives the paper's linearly increasing weights; smaller ones give the first steps
    more say. (The release's clamp, active nearly everywhere, has a similar effect.)
    """

    horizon: int = 200
    window: int = 20
    staggered: bool = True
    exponent: float = 1.0

    def __post_init__(self) -> None:
        require(self.exponent >= 0, "exponent", self.exponent, "at least 0")
        require(self.window >= 1, "window", self.window, "at least 1 step")
        divides = self.horizon >= self.window and self.horizon % self.window == 0
        allowed = f"a multiple of truncation.window={self.window}"
        require(divides, "horizon", self.horizon, allowed)

    @property
    def windows(self) -> int:
        """Windows in an unroll."""
        return self.horizon // self.window

    @property
    def windows_per_batch(self) -> int:
        """Meta-steps taken for each batch of instances that the data loader delivers."""
        return 1 if self.staggered else self.windows

    def weights(self, step: Tensor) -> Tensor:
        """The weights w_t = t^exponent of equation 4 at the steps taken, 1 ... horizon."""
        return step**self.exponent

    @property
    def scale(self) -> float:
        """What the whole objective of equation 4 is multiplied by, so that its weights have mean 1
        over the horizon and the clamp means the same for all horizons and exponents.
        """
        return self.horizon / sum(math.pow(t, self.exponent) for t in range(1, self.horizon + 1))

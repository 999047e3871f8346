"""Truncation: how a long unroll is cut into windows for backpropagation through time."""

from __future__ import annotations

from dataclasses import dataclass

from zol2l.errors import require


@dataclass(frozen=True)
class TruncationSchedule:
    """Unrolls of `horizon` steps, cut every `window` steps; one meta-step per window.

    The paper's schedule (`staggered=False`) takes one batch of instances through its whole unroll,
    horizon/window meta-steps in a row that all see the same phase. Staggered, each meta-step
    starts one batch and advances all batches under way by a window, so that every meta-gradient
    averages over all phases of the unroll. Both take the same number of windows per instance.
    """

    horizon: int = 200
    window: int = 20
    staggered: bool = True

    def __post_init__(self) -> None:
        require(self.window >= 1, "truncation.window", self.window, "at least 1 step")
        divides = self.horizon >= self.window and self.horizon % self.window == 0
        allowed = f"a multiple of truncation.window={self.window}"
        require(divides, "truncation.horizon", self.horizon, allowed)

    @property
    def windows(self) -> int:
        """Windows in an unroll."""
        return self.horizon // self.window

    @property
    def windows_per_batch(self) -> int:
        """Meta-steps taken for each batch of instances that the data loader delivers."""
        return 1 if self.staggered else self.windows

    @property
    def scale(self) -> float:
        """What the whole objective of equation 4 is multiplied by, so that its linearly increasing
        weights w_t = t have mean 1 over the horizon and the clamp means the same for all horizons.
        """
        return 2 / (self.horizon + 1)

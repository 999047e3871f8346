"""Meta-training on problems that begin easier than the one to be learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zol2l.errors import require
from zol2l.types import Optimizee


@dataclass(frozen=True)
class Curriculum:
    """Settings of the optimizee that `begin` elsewhere and go to their own values geometrically,
    v(p) = begin (own / begin)^min(1, p / until), p the fraction of the meta-steps done.

    An attack whose distortion is dear from the first step on teaches an untrained rule to stay
    where it is: within a window of steps noise costs more than it finds. With a small weight c of
    the distortion it learns to move, then to move sparingly. Validation never sees a curriculum.
    """

    begin: Mapping[str, float]
    until: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.until <= 1, "until", self.until, "a fraction of the meta-steps")
        for name, value in self.begin.items():
            require(value > 0, f"begin.{name}", value, "positive, as the setting itself")

    def ease(self, optimizee: Optimizee, progress: float) -> None:
        """Give the problem the settings that it has after the fraction `progress`."""
        for name, begin in self.begin.items():
            own = getattr(optimizee, name, None)
            known = isinstance(own, int | float) and own > 0
            allowed = f"a positive setting of {type(optimizee).__name__}"
            require(known, "begin", name, allowed)
            share = min(1.0, progress / self.until)
            setattr(optimizee, name, begin * (float(own or 0) / begin) ** share)

"""What the protocols of methods and of attacks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zol2l.errors import require
from zol2l.optimizees.family import SPLITS, Split


@dataclass(frozen=True, kw_only=True)
class SharedProtocol:
    """Examples of a `split` from the `first` on, a query `budget` each (None: as many as the steps
    take), the seed of the directions, and how many points a call evaluates (None: what fits).
    """

    budget: int | None = None
    seed: int = 0
    split: Split = "test"
    chunk: int | None = None
    first: int = 0

    def __post_init__(self) -> None:
        self.check(self.split in SPLITS, "split", f"one of {', '.join(SPLITS)}")
        self.check(self.first >= 0, "first", "at least 0")
        for name in ("budget", "chunk"):
            given: Any = getattr(self, name)
            self.check(given is None or given >= 1, name, "at least 1, or null")

    def check(self, condition: bool, name: str, allowed: str) -> None:
        """Refuse the value of the setting `name` unless `condition`."""
        require(condition, name, getattr(self, name), allowed)

    def check_examples(self, name: str, available: int) -> None:
        """Refuse to ask for more examples, as the setting `name` does, than the split has."""
        fits = self.first + getattr(self, name) <= available
        held = f"optimizee.family.{self.split}={available}"
        self.check(fits, name, f"at most {held} from first={self.first} on")

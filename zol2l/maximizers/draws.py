"""Random numbers that belong to an instance and not to the batch it happens to be in."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zol2l.seeds import seed_of

Make = Callable[[int, torch.Generator], Tensor]
"""So many instances' numbers, from a generator."""


class Draws:
    """Draws for the instances `rows` (B,) of `joined` instances, from `generator` (on the CPU).

    All draws are made for the joined instances and their rows taken: a batch that is split over
    devices sees the numbers that it would have seen whole.
    """

    def __init__(self, generator: torch.Generator, rows: Tensor, joined: int) -> None:
        self.generator, self.rows, self.joined = generator, rows.cpu(), joined

    @classmethod
    def of(cls, generator: torch.Generator, instances: int) -> Draws:
        """For a batch that is whole."""
        return cls(generator, torch.arange(instances), instances)

    def normal(self, *shape: int) -> Tensor:
        """N(0, 1), (B, *shape)."""
        return self.drawn(lambda count, of: torch.randn(count, *shape, generator=of))

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [-1, 1), (B, *shape)."""
        return self.drawn(lambda count, of: 2 * torch.rand(count, *shape, generator=of) - 1)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform among 0 ... high - 1, (B, *shape)."""
        return self.drawn(lambda count, of: torch.randint(high, (count, *shape), generator=of))

    def drawn(self, make: Make) -> Tensor:
        """What `make` draws for all joined instances, the rows of this batch."""
        return make(self.joined, self.generator)[self.rows]

    def repeated(self, copies: int) -> Draws:
        """For the same instances `copies` times, each copy with draws of its own."""
        rows = torch.cat([self.rows + copy * self.joined for copy in range(copies)])
        return Draws(self.generator, rows, copies * self.joined)


class OwnDraws(Draws):
    """Draws for B instances, each from a generator of its own: for a few of many, however the many
    are cut into batches.
    """

    def __init__(self, generators: list[torch.Generator]) -> None:
        self.generators = generators

    @classmethod
    def seeded(cls, seed: int, rows: Tensor) -> OwnDraws:
        """For the instances `rows` (B,), by `seed` and row."""
        seeds = [seed_of(seed, row) for row in rows.tolist()]
        return cls([torch.Generator().manual_seed(own) for own in seeds])

    def drawn(self, make: Make) -> Tensor:
        return torch.cat([make(1, generator) for generator in self.generators])

    def repeated(self, copies: int) -> Draws:
        return OwnDraws(self.generators * copies)

"""Random numbers that belong to an instance and not to the batch it happens to be in."""

from __future__ import annotations

import torch
from torch import Tensor


class Draws:
    """Draws for the instances `rows` (B,) of `joined` instances, from `generator` (on the CPU).

    All draws are made for the joined instances and their rows taken: a batch that is split, over
    devices or into chunks, sees the numbers that it would have seen whole.
    """

    def __init__(self, generator: torch.Generator, rows: Tensor, joined: int) -> None:
        self.generator, self.rows, self.joined = generator, rows.cpu(), joined

    @classmethod
    def of(cls, generator: torch.Generator, instances: int) -> Draws:
        """For a batch that is whole."""
        return cls(generator, torch.arange(instances), instances)

    def normal(self, *shape: int) -> Tensor:
        """N(0, 1), (B, *shape)."""
        return torch.randn(self.joined, *shape, generator=self.generator)[self.rows]

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [-1, 1), (B, *shape)."""
        return 2 * torch.rand(self.joined, *shape, generator=self.generator)[self.rows] - 1

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform among 0 ... high - 1, (B, *shape)."""
        return torch.randint(high, (self.joined, *shape), generator=self.generator)[self.rows]

    def repeated(self, copies: int) -> Draws:
        """For the same instances `copies` times, each copy with draws of its own."""
        rows = torch.cat([self.rows + copy * self.joined for copy in range(copies)])
        return Draws(self.generator, rows, copies * self.joined)

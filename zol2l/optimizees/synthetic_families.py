"""Families of problems drawn at random: quadratics and binary classification."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.machine.memory import require_memory
from zol2l.optimizees.binary_classification import (
    BinaryClassification,
    Datasets,
    sample_datasets,
)
from zol2l.optimizees.family import SPLITS, OptimizeeFamily, Split, dtype_named
from zol2l.optimizees.quadratic import Quadratic
from zol2l.seeds import seed_of

DRAWN_AND_MADE = 2
"""Times the memory of what is drawn: as it is drawn, and what is made of it."""


class RandomFamily(OptimizeeFamily):
    """A family whose instances are drawn from one seed a split."""

    def __init__(
        self, train: int, validation: int, test: int, dimension: int, seed: int, dtype: str
    ) -> None:
        super().__init__(train, validation, test)
        require(dimension >= 1, "dimension", dimension, "at least 1")
        self.dimension, self.seed, self.dtype = dimension, seed, dtype_named(dtype)

    def split_seed(self, split: Split) -> int:
        """The seed of a split's instances; those of other seeds share none of them."""
        return seed_of(len(SPLITS) * self.seed + SPLITS.index(split), 0)

    def uniform(self, split: Split, *shape: int) -> Tensor:
        """Numbers of this shape in [0, 1) for each instance of a split; the first n instances' do
        not depend on how many there are.
        """
        self.require_memory(split, math.prod(shape))
        generator = torch.Generator().manual_seed(self.split_seed(split))
        return torch.rand((self.sizes[split], *shape), generator=generator, dtype=self.dtype)

    def require_memory(self, split: Split, numbers: int) -> None:
        """Refuse a dimension for which the instances of a split, so many `numbers` each, do not fit
        into memory beside what is made of them.
        """
        count = self.sizes[split]
        what = f"{count} instances ({split}) of {numbers} numbers"
        remedy = f"take a smaller one, or fewer with optimizee.family.{split}"
        needed = DRAWN_AND_MADE * count * numbers * self.dtype.itemsize
        require_memory(needed, "dimension", self.dimension, what, remedy)


class QuadraticFamily(RandomFamily):
    """Diagonal quadratics: curvatures log-uniform over `condition`, optimum N(0, I)."""

    name = "quadratic"

    def __init__(
        self,
        train: int = 100,
        validation: int = 20,
        test: int = 100,
        dimension: int = 20,
        condition: float = 10.0,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        super().__init__(train, validation, test, dimension, seed, dtype)
        require(condition >= 1, "condition", condition, "a condition number >= 1")
        self.condition = condition

    def optimizee(self, split: Split, rows: Tensor) -> Quadratic:
        draws = self.uniform(split, 2, self.dimension)[rows]
        curvature = self.condition ** (draws[:, 0] - 1)
        return Quadratic(curvature, torch.special.ndtri(draws[:, 1].clamp(1e-6, 1 - 1e-6)))


class BinaryClassificationFamily(RandomFamily):
    """Data sets of `samples` points in D dimensions (ZO-L2L section 4.2: 2,000 and 100)."""

    name = "binary_classification"

    def __init__(
        self,
        train: int = 90,
        validation: int = 10,
        test: int = 10,
        dimension: int = 100,
        samples: int = 2000,
        batch_size: int = 64,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        super().__init__(train, validation, test, dimension, seed, dtype)
        valid = 1 <= batch_size <= samples
        require(valid, "batch_size", batch_size, f"between 1 and samples={samples}")
        self.samples, self.batch_size = samples, batch_size
        self._datasets = cache(self._sample)

    def optimizee(self, split: Split, rows: Tensor) -> BinaryClassification:
        return BinaryClassification(self._datasets(split), rows, self.batch_size)

    def _sample(self, split: Split) -> Datasets:
        self.require_memory(split, (self.samples + 2) * self.dimension)
        count, seed = self.sizes[split], self.split_seed(split)
        return sample_datasets(count, self.samples, self.dimension, seed, self.dtype)

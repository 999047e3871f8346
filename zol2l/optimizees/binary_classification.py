"""Stochastic zeroth-order binary classification (Liu et al. 2019; ZO-L2L section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from zol2l.types import Evaluation, Optimizee, map_tensors


@dataclass(frozen=True)
class Datasets:
    """features (M, N, D), labels (M, N) in {0, 1} and start points (M, D) of M datasets."""

    features: Tensor
    labels: Tensor
    starts: Tensor


def sample_datasets(
    count: int, samples: int, dimension: int, seed: int, dtype: torch.dtype = torch.float32
) -> Datasets:
    """Draw x ~ N(0, I), y = [w^T x > 0] with one w ~ N(0, I) a dataset, and starts ~ N(0, I).

    Data set i depends on seed + i alone, not on how many there are.
    """
    generators = [torch.Generator().manual_seed(seed + index) for index in range(count)]

    def normal(*shape: int) -> Tensor:
        draws = [torch.randn(shape, generator=g, dtype=dtype) for g in generators]
        return torch.stack(draws)

    truth, starts, features = normal(dimension), normal(dimension), normal(samples, dimension)
    labels = (torch.einsum("mnd,md->mn", features, truth) > 0).to(dtype)
    return Datasets(features, labels, starts)


class BinaryClassification(Optimizee):
    """f(theta) = mean over the minibatch of (y - sigmoid(theta^T x))^2, non-convex.

    `rows` (B,) names each instance's dataset. At a step all queries of an instance share a
    minibatch of `batch_size` samples drawn with replacement; elsewhere f is the full training loss.
    """

    smoothing = {torch.float32: 1e-3, torch.float64: 1e-6}
    stochastic = True

    def __init__(
        self, datasets: Datasets, rows: Tensor, batch_size: int, samples: Tensor | None = None
    ) -> None:
        self.datasets, self.rows = datasets, rows
        self.batch_size, self.samples = batch_size, samples
        self.instances, self.dimension = len(rows), datasets.features.shape[-1]

    def __call__(self, theta: Tensor) -> Evaluation:
        features, labels = self._data
        scores = torch.einsum("bmd,bnd->bnm", features, theta)
        return Evaluation((labels[:, None] - scores.sigmoid()).square().mean(dim=-1))

    @cached_property
    def _data(self) -> tuple[Tensor, Tensor]:
        """Each instance's features (B, n, D) and labels (B, n), gathered once, not every call."""
        rows = self.rows if self.samples is None else (self.rows[:, None], self.samples)
        return self.datasets.features[rows], self.datasets.labels[rows]

    def to(self, device: torch.device) -> Self:
        """Only the instances' own data sets are copied."""
        if self.rows.device == device:
            return self
        own = map_tensors(lambda x: x[self.rows].to(device), self.datasets)
        samples = None if self.samples is None else self.samples.to(device)
        rows = torch.arange(self.instances, device=device)
        return type(self)(own, rows, self.batch_size, samples)

    def start(self) -> Tensor:
        return self.datasets.starts[self.rows]

    def at_step(self, generator: torch.Generator) -> Self:
        shape = (self.instances, self.batch_size)
        count = self.datasets.features.shape[1]
        device = self.rows.device
        samples = torch.randint(count, shape, generator=generator, device=device)
        return type(self)(self.datasets, self.rows, self.batch_size, samples)

    def __getitem__(self, rows: Any) -> Self:
        samples = None if self.samples is None else self.samples[rows]
        return type(self)(self.datasets, self.rows[rows], self.batch_size, samples)

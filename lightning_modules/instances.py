"""Problem instances as data: a sample of the loader is one row of a family's split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler, TensorDataset

from zol2l.errors import require
from zol2l.optimizees import OptimizeeFamily


class InstanceStream(Sampler[list[int]]):
    """Endless batches of instances: pass k visits all of them in an order fixed by (seed, k).

    Batch i depends on (seed, i) alone, so that training resumes exactly by starting at batch
    `start`; of `replicas` devices each takes every replicas-th batch.
    """

    def __init__(
        self, instances: int, size: int, seed: int, start: int = 0, rank: int = 0, replicas: int = 1
    ) -> None:
        self.instances, self.size, self.seed, self.start = instances, size, seed, start
        self.rank, self.replicas = rank, replicas

    def __iter__(self) -> Iterator[list[int]]:
        index = self.start * self.replicas + self.rank
        while True:
            places = range(index * self.size, (index + 1) * self.size)
            yield [self.place(place) for place in places]
            index += self.replicas

    def place(self, place: int) -> int:
        """The instance at a place of the endless stream."""
        number, offset = divmod(place, self.instances)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        return int(torch.randperm(self.instances, generator=generator)[offset])


class InstanceData(pl.LightningDataModule):
    """Batches of `batch_size` training instances without end.

    Lightning's distributed sampler is not used (`use_distributed_sampler=False` in the trainer):
    the stream splits instances over devices itself.
    """

    def __init__(self, family: OptimizeeFamily, batch_size: int = 1, seed: int = 0) -> None:
        super().__init__()
        available = family.sizes["train"]
        allowed = f"between 1 and optimizee.family.train={available}"
        require(1 <= batch_size <= available, "meta_training.batch_size", batch_size, allowed)
        self.family, self.batch_size, self.seed = family, batch_size, seed

    def train_dataloader(self) -> DataLoader[Any]:
        module: Any = self.trainer.lightning_module if self.trainer else None
        stream = InstanceStream(
            self.family.sizes["train"],
            self.batch_size,
            self.seed,
            start=module.batches_done if module else 0,
            rank=self.trainer.global_rank if self.trainer else 0,
            replicas=self.trainer.world_size if self.trainer else 1,
        )
        rows = TensorDataset(torch.arange(self.family.sizes["train"]))
        return DataLoader(rows, batch_sampler=stream, collate_fn=_rows)


def _rows(samples: list[tuple[Tensor]]) -> Tensor:
    return torch.stack([row for (row,) in samples])

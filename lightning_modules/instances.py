"""Training instances as data: a sample of the loader is the row of one, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler, TensorDataset

from zol2l.errors import require
from zol2l.seeds import seed_of


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
        self._pass: tuple[int, Tensor] = (-1, torch.empty(0))

    def __iter__(self) -> Iterator[list[int]]:
        index = self.start * self.replicas + self.rank
        while True:
            places = range(index * self.size, (index + 1) * self.size)
            yield [self.place(place) for place in places]
            index += self.replicas

    def place(self, place: int) -> int:
        """The instance at a place of the endless stream."""
        number, offset = divmod(place, self.instances)
        if number != self._pass[0]:
            generator = torch.Generator().manual_seed(seed_of(self.seed, number))
            self._pass = number, torch.randperm(self.instances, generator=generator)
        return int(self._pass[1][offset])


class InstanceData(pl.LightningDataModule):
    """Batches of `batch_size` training instances without end.

    Lightning's distributed sampler is not used (`use_distributed_sampler=False` in the trainer):
    the stream splits instances over devices itself.
    """

    def __init__(
        self,
        instances: int,
        batch_size: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        allowed = f"between 1 and the {instances} training instances"
        require(1 <= batch_size <= instances, "batch_size", batch_size, allowed)
        self.instances, self.batch_size, self.seed = instances, batch_size, seed

    def train_dataloader(self) -> DataLoader[Any]:
        module: Any = self.trainer.lightning_module if self.trainer else None
        stream = InstanceStream(
            self.instances, self.batch_size, self.seed,
            start=module.batches_done if module else 0,
            rank=self.trainer.global_rank if self.trainer else 0,
            replicas=self.trainer.world_size if self.trainer else 1,
        )  # fmt: skip
        rows = TensorDataset(torch.arange(self.instances))
        return DataLoader(rows, batch_sampler=stream, collate_fn=_rows)


def _rows(samples: list[tuple[Tensor]]) -> Tensor:
    return torch.stack([row for (row,) in samples])

"""A family of optimizees: disjoint problem instances to meta-train on, to validate and to test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.types import Optimizee

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def check_sizes(sizes: Mapping[Split, int]) -> None:
    """Refuse splits without instances."""
    for split, size in sizes.items():
        require(size >= 1, split, size, "at least 1 instance")


def dtype_named(name: str) -> torch.dtype:
    """The floating-point type of a configuration."""
    known = {"float32": torch.float32, "float64": torch.float64}
    require(name in known, "dtype", name, f"one of {', '.join(known)}")
    return known[name]


class OptimizeeFamily(ABC):
    """Where problem instances come from. `sizes` says how many each split has; no instance is in
    two splits, and the first n instances of a split do not depend on the sizes.
    """

    name: str
    identity: str = ""
    """What else the problems depend on beside the family's settings: a checksum of the victim."""
    files: tuple[Path, ...] = ()
    """Files of weights that they depend on."""
    device: torch.device = torch.device("cpu")
    """Where its problems are solved."""

    def __init__(self, train: int, validation: int, test: int) -> None:
        self.sizes: dict[Split, int] = {"train": train, "validation": validation, "test": test}
        check_sizes(self.sizes)

    @abstractmethod
    def optimizee(self, split: Split, rows: Tensor) -> Optimizee:
        """The instances `rows` (B,) of a split as one batch; a row may be repeated (trials)."""

    def placed(self, split: Split, rows: Tensor) -> Optimizee:
        """That batch on the family's device: problems are made on the CPU."""
        made = self.optimizee(split, rows)
        return made if self.device.type == "cpu" else made.to(self.device)

"""Work in progress on disk, in safetensors: trees of tensors by name, saved every few seconds."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from zol2l.storage.bad_files import intact, reading
from zol2l.storage.tensor_files import flatten, load_tensors, save_tensors

T = TypeVar("T")
Trees = dict[str, dict[str, Tensor]]
"""The tensors of each tree, by its name, as `flatten` numbered them."""


class Checkpoint:
    """One file that holds the newest state of some work, so that a kill loses seconds."""

    def __init__(self, path: Path, every_seconds: float = 20.0) -> None:
        self.path, self.every_seconds = path, every_seconds
        self._saved_at = time.monotonic()

    def due(self) -> bool:
        """Whether `every_seconds` have passed since the last time."""
        return time.monotonic() - self._saved_at >= self.every_seconds

    def save(self, **trees: object) -> None:
        """Write nested dataclasses and tuples of tensors, each under its name."""
        tensors = {
            f"{name}/{i}": x for name, tree in trees.items() for i, x in flatten(tree).items()
        }
        save_tensors(self.path, tensors)
        self._saved_at = time.monotonic()

    def load(self, read: Callable[[Trees], T]) -> T | None:
        """What `read` makes of the trees that were saved. None where nothing was saved, or where
        `read` fails on it: the work begins anew.
        """
        return intact(self.path, lambda path: self._read(path, read))

    @staticmethod
    def _read(path: Path, read: Callable[[Trees], T]) -> T:
        trees: Trees = defaultdict(dict)
        for name, tensor in load_tensors(path).items():
            tree, _, index = name.partition("/")
            trees[tree][index] = tensor
        with reading(path):
            return read(trees)

    def remove(self) -> None:
        """The work is complete and stored elsewhere."""
        self.path.unlink(missing_ok=True)

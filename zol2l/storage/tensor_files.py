"""Batches of tensors, saved atomically and without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from zol2l.errors import require
from zol2l.storage.bad_files import reading
from zol2l.storage.files import write_atomically
from zol2l.types import map_tensors

T = TypeVar("T")


def flatten(tree: object) -> dict[str, Tensor]:
    """The tensors of nested dataclasses and tuples on the CPU, numbered in their fixed order."""
    found: dict[str, Tensor] = {}

    def collect(tensor: Tensor) -> Tensor:
        found[f"{len(found):05d}"] = tensor.detach().cpu().clone().contiguous()
        return tensor

    map_tensors(collect, tree)
    return found


def unflatten(template: T, tensors: dict[str, Tensor]) -> T:
    """Put `tensors`, as `flatten` numbered them, in the places of `template`'s."""
    wanted = len(flatten(template))
    require(len(tensors) == wanted, "checkpoint", len(tensors), f"{wanted} tensors are needed")
    remaining = iter(sorted(tensors))
    return map_tensors(lambda old: tensors[next(remaining)].to(old.device), template)


def restore_stream(generator: torch.Generator, saved: Tensor) -> None:
    """Put a random stream where it was. That of another kind of device is refused."""
    known = saved.shape == generator.get_state().shape
    allowed = f"one of {generator.device.type}: go on with the trainer it was begun with"
    require(known, "checkpoint", f"a random stream of {saved.numel()} bytes", allowed)
    generator.set_state(saved.cpu())


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors atomically as safetensors."""
    write_atomically(path, lambda temporary: save_file(tensors, temporary))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `save_tensors` wrote, each tensor in aligned memory of its own; `BadFile` names a
    file that cannot be read.

    In the file's memory they lie at any address, and matrix products round differently there: a
    resumed run would differ in the last bit.
    """
    with reading(path):
        return {name: tensor.clone() for name, tensor in load_file(path).items()}

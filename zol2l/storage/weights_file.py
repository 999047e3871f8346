"""Tensors on disk: safetensors with metadata and a checksum over both; never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from zol2l.storage.bad_files import BadFile, reading
from zol2l.storage.files import write_atomically

CHECKSUM = "sha256"


def save_weights(path: Path, module: nn.Module, metadata: Mapping[str, str]) -> None:
    """Write a module's weights as `save_signed` does."""
    save_signed(path, {k: v.detach().cpu() for k, v in module.state_dict().items()}, metadata)


def save_signed(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors atomically with `metadata` and their common checksum."""
    content = {name: tensor.contiguous() for name, tensor in tensors.items()}
    signed = {**metadata, CHECKSUM: checksum(content, metadata)}
    write_atomically(path, lambda temporary: save_file(content, temporary, metadata=signed))


def read_signed(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata; `BadFile` names a file that is missing, damaged or unsigned."""
    with reading(path), safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata() or {})
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    claimed = metadata.pop(CHECKSUM, None)
    if claimed != checksum(tensors, metadata):
        raise BadFile(path, "is corrupt: its contents do not match their checksum")
    return tensors, metadata


def identity(path: Path) -> str:
    """A checksum of the weights in a file that `save_signed` wrote, whatever its metadata: those
    that are made again, bit for bit, are the same ones.
    """
    return checksum(read_signed(path)[0], {})


def module_identity(module: nn.Module) -> str:
    """A checksum of a module's weights, wherever they came from."""
    return checksum(module.state_dict(), {})


def fill(path: Path, module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put `weights`, read from `path`, into `module`; one they do not fit is left as it is."""
    wanted = {k: (tuple(v.shape), v.dtype) for k, v in module.state_dict().items()}
    found = {k: (tuple(v.shape), v.dtype) for k, v in weights.items()}
    if wanted != found:
        told = f"it holds {_shapes(found)}, {type(module).__name__} needs {_shapes(wanted)}"
        raise BadFile(path, f"is of another architecture: {told}")
    module.load_state_dict(weights)


def _shapes(entries: Mapping[str, tuple[object, object]]) -> str:
    return ", ".join(f"{name} {shape}" for name, (shape, _) in entries.items())


def checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 over names, types, shapes and contents of tensors, and over `metadata`."""
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.view(-1).numpy().tobytes())
    return digest.hexdigest()

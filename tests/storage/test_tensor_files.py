"""Batches of tensors round trip without pickle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.contracts import same
from tests.problems import normal
from tests.test_types import state
from zol2l.errors import InvalidInput
from zol2l.storage.tensor_files import (
    flatten,
    load_tensors,
    restore_stream,
    save_tensors,
    unflatten,
)


def test_flatten_and_unflatten_are_inverse() -> None:
    tree, template = state(3, 0), state(3, 50)
    tensors = flatten(tree)
    assert len(tensors) == 6
    assert same(unflatten(template, tensors), tree)
    assert not same(template, tree)
    assert unflatten(template, tensors).sampling is None


def test_flatten_copies_and_detaches() -> None:
    leaf = normal(2, 3).requires_grad_()
    (copied,) = flatten((leaf * 1,)).values()
    assert not copied.requires_grad
    view = normal(4, 3)
    (copied,) = flatten((view.T,)).values()
    view.zero_()
    assert copied.is_contiguous()
    assert copied.abs().min() > 0


def test_more_than_ten_tensors_keep_their_order() -> None:
    tree = tuple(torch.full((1,), float(i)) for i in range(25))
    assert same(unflatten(tuple(torch.zeros(1) for _ in tree), flatten(tree)), tree)


def test_tensors_round_trip_through_a_file_with_their_dtypes(tmp_path: Path) -> None:
    path = tmp_path / "a" / "tensors.safetensors"
    tensors = {
        "double": normal(2, 3),
        "single": normal(2, dtype=torch.float32),
        "flags": torch.tensor([True, False]),
        "counts": torch.tensor([2**40]),
        "nothing": torch.zeros(0, 3),
        "group/": torch.zeros(1, dtype=torch.uint8),
    }
    save_tensors(path, tensors)
    loaded = load_tensors(path)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype, name
        assert torch.equal(loaded[name], tensor), name


def test_a_random_stream_of_another_device_is_refused() -> None:
    generator, saved = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    with pytest.raises(InvalidInput, match="random stream of 16 bytes"):
        restore_stream(generator, torch.zeros(16, dtype=torch.uint8))
    restore_stream(generator, saved.get_state())
    assert torch.equal(torch.rand(3, generator=generator), torch.rand(3, generator=saved))

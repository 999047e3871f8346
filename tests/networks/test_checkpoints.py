"""Victim checkpoints: exact round trips, and every kind of damage is refused with the path."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn

from zol2l.networks.checkpoints import (
    VictimCard,
    cached_victim,
    checkpoint_path,
    fingerprint,
    frozen,
    load_victim,
    save_victim,
)
from zol2l.storage.bad_files import BadFile

CONFIGURATION = {"name": "tiny", "data": "digits", "epochs": 3}
CARD = VictimCard(CONFIGURATION, test_accuracy=0.98765432101, parameters=23)


def network(hidden: int = 3, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, 2))


def equal(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = checkpoint_path(tmp_path, CONFIGURATION)
    save_victim(path, network(), CARD)
    return path


def refused(path: Path, into: nn.Module, reason: str, configuration: dict = CONFIGURATION) -> None:
    with pytest.raises(BadFile, match=reason) as error:
        load_victim(path, into, configuration)
    assert str(path) in str(error.value)


def test_round_trip(saved: Path) -> None:
    into = network(seed=1)
    assert not equal(into, network())
    assert load_victim(saved, into, CONFIGURATION) == CARD
    assert equal(into, network())
    assert cached_victim(saved, into, CONFIGURATION) == CARD


def test_channels_last_weights_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    victim, into = frozen(nn.Conv2d(2, 3, 2)), nn.Conv2d(2, 3, 2)
    save_victim(tmp_path / "v.safetensors", victim, CARD)
    load_victim(tmp_path / "v.safetensors", into, CONFIGURATION)
    assert equal(victim, into)
    assert not victim.training
    assert not any(weight.requires_grad for weight in victim.parameters())


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.9, -1])
def test_a_truncated_file_is_refused(saved: Path, kept: float) -> None:
    content = saved.read_bytes()
    size = int(kept * len(content)) if isinstance(kept, float) else kept
    saved.write_bytes(content[:size])
    refused(saved, network(seed=1), "cannot be read")


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_any_flipped_byte_of_the_weights_is_refused(saved: Path, mask: int) -> None:
    content = saved.read_bytes()
    first = 8 + int.from_bytes(content[:8], "little")
    assert len(content) - first > 50
    for position in range(first, len(content)):
        saved.write_bytes(damaged(content, position, mask))
        refused(saved, network(), "corrupt")


def damaged(content: bytes, position: int, mask: int) -> bytes:
    return content[:position] + bytes([content[position] ^ mask]) + content[position + 1 :]


def test_any_flipped_byte_of_the_header_is_refused_or_harmless(saved: Path) -> None:
    content = saved.read_bytes()
    header = range(8 + int.from_bytes(content[:8], "little"))
    for mask, position in product((0x01, 0xFF), header):
        saved.write_bytes(damaged(content, position, mask))
        into = network(seed=1)
        try:
            card = load_victim(saved, into, CONFIGURATION)
        except BadFile as error:
            assert str(saved) in str(error)
        else:
            assert card == CARD
            assert equal(into, network())


def test_another_configuration_is_refused(saved: Path) -> None:
    refused(saved, network(), "another configuration", {**CONFIGURATION, "epochs": 4})


@pytest.mark.parametrize(
    "other", [lambda: network(hidden=4), lambda: nn.Linear(2, 3)], ids=["shape", "names"]
)
def test_another_architecture_is_refused(saved: Path, other: Callable[[], nn.Module]) -> None:
    refused(saved, other(), "another architecture")


def test_a_refused_checkpoint_leaves_the_network_alone(saved: Path) -> None:
    """What is trained instead must start from its own seed."""
    into = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 5))
    before = {k: v.clone() for k, v in into.state_dict().items()}
    assert cached_victim(saved, into, CONFIGURATION) is None
    assert all(torch.equal(before[k], v) for k, v in into.state_dict().items())


def test_a_missing_file_and_other_contents_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", network(), "cannot be read")
    page = tmp_path / "page.safetensors"
    page.write_text("<html>404 Not Found</html>")
    refused(page, network(), "cannot be read")


def test_a_refused_cache_is_none_and_says_so(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert cached_victim(saved.with_name("none.safetensors"), network(), CONFIGURATION) is None
        assert caplog.records == [], "a victim that was never trained is no reason to warn"
        saved.write_bytes(saved.read_bytes()[:-1])
        assert cached_victim(saved, network(), CONFIGURATION) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(saved) in caplog.text


def test_paths_name_the_configuration_whatever_the_order_of_its_keys() -> None:
    turned = dict(reversed(CONFIGURATION.items()))
    assert fingerprint(turned) == fingerprint(CONFIGURATION)
    others = [{**CONFIGURATION, key: "changed"} for key in CONFIGURATION]
    paths = {checkpoint_path(Path("x"), each) for each in [CONFIGURATION, *others]}
    assert len(paths) == 4
    assert checkpoint_path(Path("x"), CONFIGURATION).name.startswith("tiny-")

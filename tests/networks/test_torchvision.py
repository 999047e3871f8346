"""Torchvision's classifiers: seeded or from a file, normalized inside, nothing unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.networks.convolutional import parameter_count
from zol2l.networks.torchvision import MEAN, STD, torchvision_classifier

X = torch.rand(2, 3, 32, 32, generator=seeded(0))


def resnet(**options: Any) -> nn.Module:
    return torchvision_classifier(**{"name": "resnet18", "weights": None, "classes": 5, **options})


def test_random_weights_follow_their_seed_alone() -> None:
    first = resnet(seed=1)(X)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    assert torch.equal(resnet(seed=1)(X), first)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not torch.equal(resnet(seed=2)(X), first)
    assert first.shape == (2, 5)


def test_images_are_normalized_inside() -> None:
    network = resnet()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    assert torch.allclose(network(X), network[1]((X - mean) / std), atol=1e-5)
    assert not network.training


def test_inception_v3_is_torchvisions() -> None:
    network = torchvision_classifier(weights=None)
    published = models.Inception_V3_Weights.DEFAULT
    assert parameter_count(network) == published.meta["num_params"]
    assert list(published.transforms().mean) == list(MEAN)
    assert list(published.transforms().std) == list(STD)
    assert network[1].transform_input, "its published weights want [-1, 1]"
    assert network(torch.rand(1, 3, 75, 75)).shape == (1, 1000)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_weights_from_a_file(tmp_path: Path, name: str) -> None:
    source, path = resnet(seed=3), tmp_path / name
    state = source[1].state_dict()
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    assert torch.equal(resnet(weights=str(path))(X), source(X))


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("harmed"),))


def test_a_file_that_would_run_code_is_refused_and_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Harm()}, "torch.pth")
    Path("plain.pth").write_bytes(pickle.dumps(Harm()))
    for name in ("torch.pth", "plain.pth"):
        with pytest.raises(InvalidInput, match="no state dict of resnet18"):
            resnet(weights=name)
    assert not Path("harmed").exists()


def test_a_state_dict_of_another_network_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match="no state dict of resnet18"):
        resnet(weights=str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "resnet17"}, r"name=resnet17: a classifier of torchvision"),
        ({"name": "fcn_resnet50"}, r"name=fcn_resnet50"),
        ({"weights": "IMAGENET"}, r"weights=IMAGENET: one of IMAGENET1K_V1"),
        ({"weights": "DEFAULT"}, r"classes=5: 1000"),
    ],
)
def test_bad_settings_are_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        resnet(**options)


def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, download) -> Path:
    """torch's cache in an empty folder, and another way to fill it."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    return tmp_path / "checkpoints" / Path(models.ResNet18_Weights.DEFAULT.url).name


def no_network(*arguments: Any, **options: Any) -> None:
    raise OSError("no route to host")


def test_published_weights_are_taken_from_torchs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = resnet(classes=1000, seed=3)
    path = hub(tmp_path, monkeypatch, no_network)
    path.parent.mkdir()
    torch.save(source[1].state_dict(), path)
    assert torch.equal(resnet(weights="IMAGENET1K_V1", classes=1000)(X), source(X))
    torch.save({"weight": Harm()}, path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=r"weights=IMAGENET1K_V1"):
        resnet(weights="DEFAULT", classes=1000)
    assert not Path("harmed").exists()


def test_a_download_that_is_impossible_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(tmp_path, monkeypatch, no_network)
    with pytest.raises(InvalidInput, match=r"no route to host.*null for random weights") as error:
        resnet(weights="DEFAULT", classes=1000)
    assert "resnet18-" in str(error.value)

"""Attacks on images of the user's: a victim trained on a folder, and one that comes trained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.commands.conftest import Zol2l
from tests.data.pictures import picture_folder, pixels, write, zipped
from zol2l.networks.torchvision import torchvision_classifier

COMMON = ("scale=smoke", "logger=csv")
SMALL = ("optimizee=imagenet_attack", "optimizee.victim.network.weights=null", *COMMON)
CIFAR10 = ("optimizee=cifar10_attack", "data=digits", "scale=smoke")
PIXELS = 75
"""The smallest images that Inception-v3 takes."""


def imagenet(folder: Path, count: int, network: str = "inception_v3") -> None:
    """Random images under the class that the network with random weights gives them."""
    images = torch.stack([pixels(i, PIXELS, PIXELS) for i in range(count)])
    with torch.no_grad():
        classes = torchvision_classifier(network, weights=None)(images.float() / 255).argmax(dim=1)
    for i, (image, label) in enumerate(zip(images, classes.tolist(), strict=True)):
        write(folder / "val" / f"{label:04d}" / f"{i}.png", image)


def test_inception_v3_on_a_folder_of_images(zol2l: Zol2l, tmp_path: Path) -> None:
    imagenet(tmp_path / "few", 10)
    data = (f"data.folder={tmp_path / 'few'}", f"data.size={PIXELS}", "data.resize=null")
    sizes = ("optimizee.directions=3", "sizes.smoke.steps=2", "sizes.smoke.trials=1")
    victim = zol2l("train-victim", *SMALL, *data)
    assert victim.status == 0, victim.err
    assert "test accuracy 100.00 % of 10 images, 27161264 parameters" in victim.out + victim.err
    assert not list(tmp_path.rglob("victims"))
    outcome = zol2l("evaluate", "baseline=zo_sgd", *SMALL, *data, *sizes)
    assert outcome.status == 0, outcome.err
    results = pd.read_parquet(tmp_path / "outputs/imagenet_attack-smoke/results.parquet")
    assert len(results) == 3 * 3
    assert results["loss"].notna().all()


def test_attacks_within_a_ball_on_a_folder_of_images(zol2l: Zol2l, tmp_path: Path) -> None:
    imagenet(tmp_path / "few", 10, "squeezenet1_1")
    outcome = zol2l(
        "reproduce",
        "experiment=ngd_table2_imagenet",
        "scale=smoke",
        "logger=csv",
        "optimizee.victim.network.name=squeezenet1_1",
        "optimizee.victim.network.weights=null",
        f"data.folder={tmp_path / 'few'}",
        f"data.size={PIXELS}",
        "data.resize=null",
        "sizes.smoke.attack_budget=100",
        "attacks.zoo_imagenet.attack.optimizer.sampling.directions=16",
    )
    assert outcome.status == 0, outcome.err
    rows = pd.read_parquet(tmp_path / "outputs/ngd_table2_imagenet-smoke/results.parquet")
    assert rows.groupby("method")["queries"].max().between(1, 100).all()
    assert rows["outside_ball"].max() <= 1e-6


def test_a_folder_with_some_of_the_classes_must_say_which(zol2l: Zol2l, tmp_path: Path) -> None:
    picture_folder(tmp_path / "pets", {"val": {"cat": 2, "dog": 2}}, PIXELS, PIXELS)
    data = (f"data.folder={tmp_path / 'pets'}", f"data.size={PIXELS}", "data.resize=null")
    network = "optimizee.victim.network.name=squeezenet1_1"
    outcome = zol2l("train-victim", *SMALL, *data, network)
    assert outcome.status == 2
    assert "1000 classes, the data has 2 class folders (cat, dog" in outcome.err
    outcome = zol2l("train-victim", *SMALL, *data, network, "data.classes={cat: 281, dog: 207}")
    assert outcome.status == 0, outcome.err


def test_a_victim_learns_a_zip_of_images_and_again_when_they_change(
    zol2l: Zol2l, tmp_path: Path, data_root: Path
) -> None:
    splits = {"train": {"a": 20, "b": 20}, "test": {"a": 20, "b": 20}}
    folder = data_root / "shapes"
    picture_folder(folder, splits, 8, 8)
    for path in folder.rglob("a/*.png"):
        write(path, torch.full((3, 8, 8), 255, dtype=torch.uint8))
    zipped(folder, data_root / "shapes.zip")
    arguments = (
        "optimizee=digits_attack", "data=image_folder", "data.folder=shapes.zip", *COMMON,
        "+optimizee.victim.network.channels=3", "+optimizee.victim.network.classes=2",
        "sizes.smoke.digits_epochs=30",
    )  # fmt: skip
    outcome = zol2l("evaluate", "baseline=zo_sgd", *arguments)
    assert outcome.status == 0, outcome.err
    assert "test accuracy 100.00 %" in outcome.out + outcome.err
    victims = data_root / "victims"
    first = set(victims.glob("*.safetensors"))
    assert zol2l("evaluate", "baseline=zo_sgd", *arguments).status == 0
    assert set(victims.glob("*.safetensors")) == first
    write(folder / "train/b/000.png", pixels(999, 8, 8))
    zipped(folder, data_root / "shapes.zip")
    assert zol2l("train-victim", *arguments).status == 0
    assert len(set(victims.glob("*.safetensors")) - first) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "3 channels"),
        (["optimizee=mnist_attack"], "data=(1, 8, 8): images of this shape"),
        (["data=image_folder"], "data.folder=???"),
        (["data=image_folder", "data.folder=nowhere"], "data.folder=nowhere: no such folder"),
        (["data=image_folder", "data.folder=x", "data.size=big"], "data.size=big"),
        (["data=cifar10_jpeg"], "data.folder=cifar10-images.zip: no such folder or .zip"),
        (["data=cifar11"], "data=cifar11"),
        (["optimizee.victim.network.widths=[8,x]"], "widths=[8, 'x']: must be a list, each a wh"),
        (["optimizee.victim.network.widths=8"], "widths=8: must be a list, each a whole number"),
    ],
)
def test_bad_input_is_one_error(zol2l: Zol2l, arguments: list[str], told: str) -> None:
    outcome = zol2l("train-victim", *CIFAR10, *arguments)
    assert outcome.status == 2, outcome.err
    assert "Traceback" not in outcome.err
    assert told in outcome.err

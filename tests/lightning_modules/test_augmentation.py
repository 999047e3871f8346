"""Random crops and reflections: every result is a window of the padded image or of its mirror."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from lightning_modules.augmentation import augmented
from tests.problems import seeded
from zol2l.maximizers import Draws

IMAGES = torch.rand(64, 3, 5, 7, generator=seeded(0)) + 0.1


def draws(seed: int) -> Draws:
    return Draws.of(seeded(seed), len(IMAGES))


def windows(image: Tensor, padding: int) -> list[Tensor]:
    _, height, width = image.shape
    padded = pad(image, [padding] * 4)
    offsets = range(2 * padding + 1)
    return [padded[:, i : i + height, j : j + width] for i in offsets for j in offsets]


def test_each_image_is_a_window_of_its_padded_self_or_mirror_image() -> None:
    found = set()
    for before, after in zip(IMAGES, augmented(IMAGES, draws(1), padding=1), strict=True):
        candidates = windows(before, 1) + windows(before.flip(-1), 1)
        equal = [i for i, each in enumerate(candidates) if torch.equal(each, after)]
        assert len(equal) == 1
        found.add(equal[0])
    assert len(found) > 14, "18 are possible"


def test_without_padding_an_image_is_itself_or_its_mirror_image() -> None:
    result = augmented(IMAGES, draws(1), padding=0)
    mirrored = (result == IMAGES.flip(-1)).flatten(1).all(dim=1)
    same = (result == IMAGES).flatten(1).all(dim=1)
    assert bool((mirrored ^ same).all())
    assert 20 < int(mirrored.sum()) < 44


def test_the_generator_alone_decides() -> None:
    first = augmented(IMAGES, draws(1))
    torch.manual_seed(5)
    assert torch.equal(augmented(IMAGES, draws(1)), first)
    assert not torch.equal(augmented(IMAGES, draws(2)), first)
    assert first.shape == IMAGES.shape
    assert first.dtype == IMAGES.dtype

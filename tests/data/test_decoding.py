"""Decoded images: exact pixels, one size, and a cache that notices every change and damage."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import torch

from tests.data.pictures import pixels, write
from zol2l.data import decoding
from zol2l.data.decoding import Geometry, decoded
from zol2l.errors import InvalidInput


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "in" / f"{i}.png", pixels(i)) for i in range(3)]


def no_decoding(*arguments: object) -> torch.Tensor:
    raise AssertionError("decoded again")


def test_pixels_are_exact_and_in_the_files_order(files: list[Path], tmp_path: Path) -> None:
    images = decoded(files[::-1], Geometry(), tmp_path / "cache", "x")
    assert images.dtype == torch.uint8
    assert torch.equal(images, torch.stack([pixels(i) for i in (2, 1, 0)]))


def test_grey_images_get_three_equal_channels(tmp_path: Path) -> None:
    file = write(tmp_path / "grey.png", pixels(0)[:1])
    images = decoded([file], Geometry(), tmp_path / "cache", "x")
    assert torch.equal(images, pixels(0)[:1].expand(3, -1, -1)[None])


def test_the_second_time_they_come_from_the_cache(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = decoded(files, Geometry(), tmp_path / "cache", "x")
    monkeypatch.setattr(decoding, "decode", no_decoding)
    assert torch.equal(decoded(files, Geometry(), tmp_path / "cache", "x"), first)


def test_a_changed_file_and_another_size_are_noticed(files: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = decoded(files, Geometry(), cache, "x")
    before = files[1].stat()
    write(files[1], pixels(9))
    os.utime(files[1], ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    changed = decoded(files, Geometry(), cache, "x")
    assert torch.equal(changed[1], pixels(9))
    assert torch.equal(changed[[0, 2]], first[[0, 2]])
    shapes = [decoded(files, Geometry(*g), cache, "x").shape for g in ((4,), (4, 5), (3, 5))]
    assert [tuple(shape) for shape in shapes] == [(3, 3, 4, 4), (3, 3, 4, 4), (3, 3, 3, 3)]
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_corrupt_cache_is_refused_and_made_again(
    files: list[Path], tmp_path: Path, harm, caplog: pytest.LogCaptureFixture
) -> None:
    first = decoded(files, Geometry(), tmp_path / "cache", "x")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(harm(kept.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert torch.equal(decoded(files, Geometry(), tmp_path / "cache", "x"), first)
        assert torch.equal(decoded(files, Geometry(), tmp_path / "cache", "x"), first)
    (warning,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert str(kept) in warning.getMessage()


def test_size_is_the_middle_of_the_resized_image(tmp_path: Path) -> None:
    image = torch.zeros(3, 8, 16, dtype=torch.uint8)
    image[:, :, 4:12] = 200
    file = write(tmp_path / "wide.png", image)
    assert bool((Geometry(8).read(file) == 200).all())
    assert bool((Geometry(2, resize=8).read(file) == 200).all())
    assert Geometry(5).read(file).shape == (3, 5, 5)


def test_images_of_different_sizes_need_one(files: list[Path], tmp_path: Path) -> None:
    files.append(write(tmp_path / "in" / "tall.png", pixels(7, height=9)))
    with pytest.raises(InvalidInput, match=r"size=None: .*tall\.png has 9x6 pixels"):
        decoded(files, Geometry(), tmp_path / "cache", "x")
    assert decoded(files, Geometry(size=6), tmp_path / "cache", "x").shape == (4, 3, 6, 6)


@pytest.mark.parametrize(
    ("geometry", "told"),
    [((0, None), "size=0"), ((None, 9), "resize=9"), ((8, 7), "resize=7")],
)
def test_sizes_that_make_no_sense_are_refused(geometry: tuple, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Geometry(*geometry)


@pytest.mark.parametrize("content", [b"<html>404</html>", b"\x89PNG\r\n\x1a\n", b""])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.png"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"bad\.png: cannot be read"):
        decoded([file], Geometry(), tmp_path / "cache", "x")

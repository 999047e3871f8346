"""Archives are unpacked once, wholly or not at all, and never outside their folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest

from zol2l.data import archives
from zol2l.errors import InvalidInput

SPLITS = ("train", "test")
LARGE = 2**25 + 77_777
FILES = {"train/a/1.txt": b"one", "train/b/2.txt": b"two", "test/a/3.txt": b"three"}


def unpacked(archive: Path, cache: Path) -> Path:
    return archives.unpacked(archive, cache, SPLITS)


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(ZipInfo(name), content)
    return path


def everything(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_contents_are_there_and_nothing_else(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = unpacked(archive(tmp_path / "x.zip", FILES), cache)
    assert everything(folder) == dict(sorted(FILES.items()))
    assert os.listdir(cache) == [folder.name]  # noqa: PTH208
    assert folder.name.startswith("x-")


def test_unpacked_once_and_again_where_the_archive_is_another(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", FILES)
    folder = unpacked(path, tmp_path / "cache")
    marked = folder / "train/a/1.txt"
    marked.write_bytes(b"ONE")
    assert unpacked(path, tmp_path / "cache") == folder
    assert marked.read_bytes() == b"ONE"
    other = unpacked(archive(path, {**FILES, "train/a/1.txt": b"uno"}), tmp_path / "cache")
    assert other != folder
    assert (other / "train/a/1.txt").read_bytes() == b"uno"


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "train/../../out.txt", "/tmp/out.txt", "train\\..\\..\\out.txt", "C:\\out.txt"],
)
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path, cache = archive(tmp_path / "x.zip", {**FILES, name: b"bad"}), tmp_path / "cache"
    with pytest.raises(InvalidInput, match=r"folder=.*would leave the folder"):
        unpacked(path, cache)
    assert everything(tmp_path).keys() == {"x.zip"}


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"two", b"tw0"))


@pytest.mark.parametrize(
    "harm", [damage, lambda p: p.write_bytes(b"<html>404</html>"), lambda p: p.write_bytes(b"")]
)
def test_a_damaged_archive_is_refused_and_leaves_nothing(tmp_path: Path, harm) -> None:
    path, cache = archive(tmp_path / "x.zip", FILES), tmp_path / "cache"
    harm(path)
    with pytest.raises(InvalidInput, match="cannot be unpacked") as error:
        unpacked(path, cache)
    assert str(path) in str(error.value)
    assert everything(tmp_path).keys() == {"x.zip"}


def test_an_unpacking_that_is_interrupted_does_not_pass_for_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cache = archive(tmp_path / "x.zip", FILES), tmp_path / "cache"
    extract, seen = ZipFile.extract, []

    def stop_at_the_second(self: ZipFile, member: ZipInfo, to: Path) -> str:
        seen.append(member)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return extract(self, member, to)

    with monkeypatch.context() as patched:
        patched.setattr(ZipFile, "extract", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            unpacked(path, cache)
    assert everything(cache) == {}
    assert everything(unpacked(path, cache)) == dict(sorted(FILES.items()))


@pytest.mark.parametrize("folders", ["pets/", "a/b/"])
def test_the_only_folder_in_an_archive_is_descended_into(tmp_path: Path, folders: str) -> None:
    """Whatever macOS and others leave beside it."""
    files = {f"{folders}{name}": content for name, content in FILES.items()}
    beside = {"__MACOSX/pets/._x": b"", ".DS_Store": b"", "README.txt": b"", ".git/x": b""}
    folder = unpacked(archive(tmp_path / "x.zip", files | beside), tmp_path / "cache")
    assert everything(folder) == dict(sorted(FILES.items()))
    assert unpacked(tmp_path / "x.zip", tmp_path / "cache") == folder


@pytest.mark.parametrize("names", [["cat/1.png", "dog/1.png"], ["a/train/cat/1", "b/test/cat/1"]])
def test_an_archive_without_the_splits_is_refused_before_it_is_unpacked(
    tmp_path: Path, names: list[str]
) -> None:
    path = archive(tmp_path / "x.zip", dict.fromkeys(names, b""))
    told = r"x\.zip: has no folders train and test at its top or in its only folder; nothing was"
    with pytest.raises(InvalidInput, match=told):
        unpacked(path, tmp_path / "cache")
    assert os.listdir(tmp_path) == ["x.zip"]  # noqa: PTH208


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        for i in range(3):
            file.writestr(f"{'test' if i else 'train'}/a/{i}.png", bytes(2**25))
    told = r"folder=.*x\.zip: would unpack to 96\.0 MiB, more than 100 times its own size"
    with pytest.raises(InvalidInput, match=told):
        unpacked(path, tmp_path / "cache")
    assert os.listdir(tmp_path) == ["x.zip"]  # noqa: PTH208


def test_more_than_the_disk_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file takes a block at least."""
    path = archive(tmp_path / "x.zip", FILES)
    for free in (3 * archives.BLOCK - 1, 3 * archives.BLOCK):
        usage = shutil._ntuple_diskusage(2**40, 0, free)
        monkeypatch.setattr(archives.shutil, "disk_usage", lambda _, usage=usage: usage)
        if free < 3 * archives.BLOCK:
            with pytest.raises(InvalidInput, match=r"needs 12\.0 KiB on disk, 12\.0 KiB are free"):
                unpacked(path, tmp_path / "cache")
            assert os.listdir(tmp_path) == ["x.zip"]  # noqa: PTH208
    unpacked(path, tmp_path / "cache")


@pytest.mark.parametrize("packing", [ZIP_BZIP2, ZIP_LZMA])
def test_members_that_cannot_be_unpacked_in_pieces_are_refused(
    tmp_path: Path, packing: int
) -> None:
    """As zipfile unpacks them, 4 KiB of bzip2 that call themselves 1,000 bytes fill gigabytes."""
    with ZipFile(tmp_path / "x.zip", "w", packing) as file:
        file.writestr("train/a/1.png", b"one")
    with pytest.raises(InvalidInput, match=r"'train/a/1\.png' must be stored or deflated"):
        unpacked(tmp_path / "x.zip", tmp_path / "cache")


def test_a_member_that_is_larger_than_it_says_is_stopped(tmp_path: Path) -> None:
    """32 MiB that the directory and the member's own header call 1,000 bytes."""
    path, cache = tmp_path / "x.zip", tmp_path / "cache"
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        file.writestr("train/a/1.png", bytes(LARGE))
        file.writestr("test/a/1.png", b"")
    size, lie = LARGE.to_bytes(4, "little"), (1000).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, lie))
    with pytest.raises(InvalidInput, match="cannot be unpacked: Bad CRC-32"):
        unpacked(path, cache)
    assert everything(tmp_path).keys() == {"x.zip"}

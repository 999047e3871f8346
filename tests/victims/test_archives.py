"""Archives are unpacked once, wholly or not at all, and never outside their folder."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from zol2l.errors import InvalidInput
from zol2l.victims.archives import unpacked

FILES = {"train/a/1.txt": b"one", "train/b/2.txt": b"two", "test/a/3.txt": b"three"}


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

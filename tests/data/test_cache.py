"""What is made from data goes beside it, or to the user's cache where the data is read-only."""

from __future__ import annotations

from pathlib import Path

import pytest

from zol2l.data.cache import cache_folder


@pytest.mark.parametrize("part", ["victims", "images"])
def test_a_folder_under_the_data_or_where_it_is_read_only_under_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    data, home = tmp_path / "data", tmp_path / "home"
    data.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    assert cache_folder(data, part) == data / part
    data.chmod(0o555)
    assert cache_folder(data, part) == home / ".cache" / "zol2l" / part
    data.chmod(0o755)


def test_a_data_root_that_does_not_exist_yet_is_no_error(tmp_path: Path) -> None:
    assert cache_folder(tmp_path / "data", "victims").name == "victims"

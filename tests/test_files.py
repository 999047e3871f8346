"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from zol2l.files import write_atomically


class CrashError(Exception):
    """A writer that dies halfway."""


@pytest.mark.parametrize("before", [None, "old"])
def test_a_writer_that_raises_leaves_everything_as_it_was(
    tmp_path: Path, before: str | None
) -> None:
    path = tmp_path / "file.txt"
    if before is not None:
        path.write_text(before)
    kept = sorted(tmp_path.iterdir())

    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise CrashError

    with pytest.raises(CrashError):
        write_atomically(path, write)
    assert sorted(tmp_path.iterdir()) == kept
    assert before is None or path.read_text() == before


def test_the_file_is_not_there_before_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"

    def write(temporary: Path) -> None:
        temporary.write_text("whole")
        assert temporary.parent == path.parent, "a move between file systems is not atomic"
        assert not path.exists()

    write_atomically(path, write)
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]

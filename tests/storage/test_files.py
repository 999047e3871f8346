"""Files appear whole or not at all, and what the system refuses names the file."""

from __future__ import annotations

import errno
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from lightning_modules.whole_files import WholeFiles
from zol2l.evaluation.attack_results import write_attacks
from zol2l.evaluation.summary import write_summary
from zol2l.plots import style
from zol2l.storage.files import write_atomically
from zol2l.storage.json_files import write_json
from zol2l.storage.learned_weights import save_part
from zol2l.storage.tensor_files import save_tensors

NUMBERS = {name: range(900) for name in ("instance", "label", "target", "predicted", "queries")}
ATTACKS = pd.DataFrame(
    {
        **{name: [i * 0.37 for i in range(900)] for name in ("l2", "linf")},
        **NUMBERS, "method": "square", "success": True, "outside_ball": 0.0, "outside_box": 0.0,
    }
)  # fmt: skip
WRITERS: dict[str, Callable[[Path], object]] = {
    "json": lambda path: write_json(path, {"text": "x" * 2000}),
    "tensors": lambda path: save_tensors(path, {"a": torch.zeros(2000)}),
    "weights": lambda path: save_part(path, nn.Linear(40, 40), {}),
    "table": lambda path: write_attacks(path, [ATTACKS]),
    "summary": lambda path: write_summary(path, ATTACKS),
    "figure": lambda path: style.save(Figure(), path),
    "checkpoint": lambda path: WholeFiles().save_checkpoint({"a": torch.zeros(2000)}, path),
}
"""All that writes, each with more than LIMIT bytes."""
LIMIT = 1000


class CrashError(Exception):
    """A writer that dies halfway."""


@contextmanager
def full_disk(limit: int = LIMIT) -> Iterator[None]:
    """The system takes so many bytes of a file and refuses the next: to all libraries alike."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_told_with_the_files_name_and_leaves_everything_as_it_was(
    tmp_path: Path, kind: str, before: str | None
) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_text(before)
    with full_disk(), pytest.raises(OSError) as error:
        WRITERS[kind](path)
    assert (error.value.errno, error.value.filename) == (errno.EFBIG, str(path))
    assert list(tmp_path.iterdir()) == ([] if before is None else [path])
    assert before is None or path.read_text() == before
    WRITERS[kind](path)
    assert path.stat().st_size > LIMIT


@pytest.mark.parametrize("kind", WRITERS)
def test_a_folder_that_cannot_be_written_is_told_with_the_files_name(
    tmp_path: Path, kind: str
) -> None:
    (tmp_path / "taken").write_text("")
    path = tmp_path / "taken" / "file"
    with pytest.raises(OSError) as error:
        WRITERS[kind](path)
    assert error.value.errno in (errno.ENOTDIR, errno.EEXIST)
    assert error.value.filename == str(path)


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

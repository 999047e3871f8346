"""Results: one tidy row per method, instance, trial and iterate; Parquet keeps everything."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.contracts import same
from zol2l.evaluation.results import SCHEMA, read_results, tidy, trial_rows, write_results
from zol2l.trajectory import Trajectory

INSTANCES, TRIALS, ITERATES = 2, 3, 4
BATCH = INSTANCES * TRIALS


def trajectory() -> Trajectory:
    """Every value says where it belongs: 100 instance + 10 trial + step."""
    step = torch.arange(ITERATES).expand(BATCH, -1)
    rows = torch.arange(BATCH)[:, None]
    code = (100 * (rows // TRIALS) + 10 * (rows % TRIALS) + step).double()
    loss = code.clone()
    loss[1, 2:] = torch.nan
    return Trajectory(5 * step + 1, loss, code + 0.25, code + 0.5, code % 2 == 1, step)


def test_rows_are_instance_major_over_trials() -> None:
    assert trial_rows(INSTANCES, TRIALS).tolist() == [0, 0, 0, 1, 1, 1]
    frame = tidy("m", trajectory(), INSTANCES, TRIALS)
    assert len(frame) == BATCH * ITERATES
    code = 100 * frame["instance"] + 10 * frame["trial"] + frame["step"]
    assert (frame["attack_loss"] == code + 0.25).all()
    assert (frame["distortion"] == code + 0.5).all()
    assert (frame["success"] == (code % 2 == 1)).all()
    assert (frame["queries"] == 5 * frame["step"] + 1).all()
    stopped = frame["loss"].isna()
    assert (frame["loss"] == code)[~stopped].all()
    where = frame[stopped][["instance", "trial", "step"]]
    assert where.to_numpy().tolist() == [[0, 1, 2], [0, 1, 3]]


def test_parquet_round_trip_keeps_rows_types_and_the_order_of_methods(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.parquet"
    names = ["zo_lstm", "b", "zo_adam", "a"]
    frames = [tidy(name, trajectory(), INSTANCES, TRIALS) for name in names]
    write_results(path, frames)
    read = read_results(path)
    assert list(read.columns) == SCHEMA.names
    assert list(read["method"].cat.categories) == names
    assert list(read.groupby("method", observed=True).size().index) == names
    written = pd.concat(frames, ignore_index=True)
    for column in SCHEMA.names[1:]:
        expected = written[column].to_numpy()
        assert (read[column].to_numpy() == expected)[~pd.isna(expected)].all(), column
        assert (read[column].isna() == written[column].isna()).all(), column
    assert read["success"].dtype == bool
    assert read["queries"].dtype == "int64"
    assert read["loss"].dtype == "float64"


def test_joining_parts_again_gives_the_same_file(tmp_path: Path) -> None:
    parts = [tmp_path / "z.parquet", tmp_path / "a.parquet"]
    for part in parts:
        write_results(part, [tidy(part.stem, trajectory(), INSTANCES, TRIALS)])
    write_results(tmp_path / "all.parquet", [read_results(part) for part in parts])
    joined = read_results(tmp_path / "all.parquet")
    assert list(joined["method"].cat.categories) == ["z", "a"]
    first = joined[joined["method"] == "z"].reset_index(drop=True)
    alone = read_results(parts[0])
    pd.testing.assert_frame_equal(first[SCHEMA.names[1:]], alone[SCHEMA.names[1:]])


def test_float32_losses_are_stored_exactly(tmp_path: Path) -> None:
    single = trajectory().map(lambda x: x.float() * 0.1 if x.dtype == torch.float64 else x)
    write_results(tmp_path / "r.parquet", [tidy("m", single, INSTANCES, TRIALS)])
    stored = torch.tensor(read_results(tmp_path / "r.parquet")["loss"].to_numpy())
    assert same((stored,), (single.loss.flatten().double(),))


@pytest.mark.parametrize("column", ["queries", "success"])
def test_a_frame_that_lacks_a_column_is_not_written(tmp_path: Path, column: str) -> None:
    frame = tidy("m", trajectory(), INSTANCES, TRIALS).drop(columns=column)
    with pytest.raises(KeyError, match=column):
        write_results(tmp_path / "r.parquet", [frame])
    assert list(tmp_path.iterdir()) == []

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from zol2l.errors import InvalidInput
from zol2l.plots.cosine import cosine_figure


def table(directions, means, error=0.02):
    """Rows of methods whose mean cosines at each number of directions are given."""
    parts = [
        pd.DataFrame({"method": name, "directions": directions, "cosine_mean": values})
        for name, values in means.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(cosine_sem=error)


MEANS = {"no_query": [0.2, 0.3, 0.1], "zo_lstm": [0.3, 0.5, 0.2]}


def test_means_and_standard_errors(drawn, tmp_path):
    cosine_figure(table([20, 40, 10], MEANS), tmp_path / "x.png")
    axes = drawn[0].axes[0]
    first, second = axes.containers
    assert first.lines[0].get_xydata().tolist() == [[10, 0.1], [20, 0.2], [40, 0.3]]
    assert second.lines[0].get_xydata().tolist() == [[10, 0.2], [20, 0.3], [40, 0.5]]
    (bars,) = second.lines[2]
    ends = np.array([path[:, 1] for path in bars.get_segments()])
    np.testing.assert_allclose(ends, [[0.18, 0.22], [0.28, 0.32], [0.48, 0.52]])
    assert "Cosine similarity" in axes.get_ylabel()
    assert axes.get_xlabel() == "Query directions q"
    names, note = drawn[0].legends
    assert [text.get_text() for text in names.texts] == ["ZO-LSTM-no-query", "ZO-LSTM"]
    assert note.get_title().get_text() == "Bars: \u00b1 1 standard error"


def test_ticks_are_the_numbers_of_directions(drawn, tmp_path):
    cosine_figure(table([1, 5, 100], MEANS), tmp_path / "x.png")
    axes = drawn[0].axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "5", "100"]
    assert axes.get_xscale() == "log"


@pytest.mark.parametrize(("error", "bottom"), [(0.02, 0), (0.1, 0), (np.nan, 0)])
def test_the_axis_starts_at_zero(drawn, tmp_path, error, bottom):
    cosine_figure(table([1, 2, 3], MEANS, error), tmp_path / "x.png")
    assert drawn[0].axes[0].get_ylim()[0] == bottom


def test_but_holds_bars_below_zero(drawn, tmp_path):
    cosine_figure(table([1, 2, 3], MEANS, 0.15), tmp_path / "x.png")
    assert drawn[0].axes[0].get_ylim()[0] < -0.05


def test_without_errors_there_are_no_bars_and_no_note(drawn, tmp_path):
    cosine_figure(table([1, 2, 3], MEANS, np.nan), tmp_path / "x.png")
    assert [container.has_yerr for container in drawn[0].axes[0].containers] == [False] * 2
    assert len(drawn[0].legends) == 1


CASES = {
    "methods": table([10, 20, 40], MEANS),
    "one method and number": table([20], {"mine": [-0.3]}),
    "nothing measured": table([20, 30], {"mine": [np.nan, np.nan]}, np.nan),
    "some errors": table([1, 2, 3], MEANS, [0.1, np.nan, np.nan, np.nan, np.nan, np.nan]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_files(data, tmp_path):
    path = cosine_figure(data, tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    assert imread(path).shape == (600, 1140, 4)


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="table=no rows"):
        cosine_figure(pd.DataFrame(), tmp_path / "x.png")

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from zol2l.errors import InvalidInput
from zol2l.plots.coordinate import coordinate_figure


def table(steps=4, others=("zo_sgd", "zo_adam")):
    """A run of ZO-LSTM; the others' updates are 10, 100, ... times smaller."""
    step = np.arange(steps)
    data = {"step": step, "theta": step * 0.5, "std": 1 + step * 0.1, "estimate": -step * 3.0}
    data["delta"] = np.where(step % 2, 3.0, -1.0)
    for i, name in enumerate(others):
        data[f"delta_{name}"] = data["delta"] * -(0.1 ** (i + 1))
    return pd.DataFrame(data)


def names(axes):
    return [text.get_text() for text in axes.get_legend().texts]


def test_three_panels_over_the_same_iterations(drawn, tmp_path):
    data = table()
    coordinate_figure(data.iloc[::-1], tmp_path / "x.png")
    deviation, estimate, update = drawn[0].axes
    reference, std = deviation.lines
    assert set(reference.get_ydata()) == {1}
    assert reference.get_linestyle() == "--"
    assert std.get_xydata().tolist() == data[["step", "std"]].to_numpy().tolist()
    assert estimate.lines[0].get_xydata().tolist() == (
        data[["step", "estimate"]].to_numpy().tolist()
    )
    assert deviation.get_xlim() == estimate.get_xlim() == update.get_xlim()
    assert [axes.get_xlabel() for axes in drawn[0].axes] == ["", "", "Iteration"]
    boxes = [axes.get_window_extent() for axes in drawn[0].axes]
    assert len({round(box.x0) for box in boxes}) == len({round(box.x1) for box in boxes}) == 1


def test_updates_of_other_scales_are_drawn_at_unit_size(drawn, tmp_path):
    coordinate_figure(table(), tmp_path / "x.png")
    update = drawn[0].axes[2]
    rms = np.sqrt((1 + 9) / 2)
    expected = np.array([-1, 3, -1, 3]) / rms
    for line, sign in zip(update.lines, (1, -1, -1), strict=True):
        np.testing.assert_allclose(line.get_ydata(), sign * expected)
    assert update.get_ylabel() == "Update / its RMS"
    assert names(update) == [
        "ZO-LSTM\n(RMS 2.2)",
        "ZO-SGD\n(RMS 0.22)",
        "ZO-ADAM\n(RMS 0.022)",
    ]


def test_the_update_of_zo_lstm_lies_on_top(drawn, tmp_path):
    coordinate_figure(table(), tmp_path / "x.png")
    own, *others = drawn[0].axes[2].lines
    assert own.get_zorder() > max(line.get_zorder() for line in others)
    assert own.get_linewidth() > max(line.get_linewidth() for line in others)


def test_an_update_of_zero_stays_zero_and_a_gap_a_gap(drawn, tmp_path):
    data = table(others=("zo_sgd",))
    data["delta_zo_sgd"] = 0.0
    data.loc[1, "delta"] = np.nan
    coordinate_figure(data, tmp_path / "x.png")
    own, sgd = drawn[0].axes[2].lines
    assert sgd.get_ydata().tolist() == [0] * 4
    # the root mean square is that of the three other values
    np.testing.assert_allclose(own.get_ydata(), np.array([-1, np.nan, -1, 3]) / np.sqrt(11 / 3))


@pytest.mark.parametrize(("steps", "marker"), [(1, "o"), (2, "None")])
def test_one_iteration_is_a_dot(drawn, tmp_path, steps, marker):
    coordinate_figure(table(steps), tmp_path / "x.png")
    deviation, estimate, update = drawn[0].axes
    shown = [deviation.lines[1], *estimate.lines, *update.lines]
    assert {line.get_marker() for line in shown} == {marker}


@pytest.mark.parametrize("others", [("zo_sgd",), ("zo_sgd", "zo_adam", "zo_signsgd", "zo_ngd")])
def test_legends_do_not_overlap(drawn, tmp_path, others):
    coordinate_figure(table(others=others), tmp_path / "x.png")
    first, second = (drawn[0].axes[i].get_legend().get_window_extent() for i in (0, 2))
    assert not first.overlaps(second)
    for box in (first, second):
        assert box.x1 <= drawn[0].bbox.x1
        assert box.y0 >= 0


CASES = {
    "methods": table(),
    "ZO-LSTM alone": table(others=()),
    "one iteration": table(steps=1),
    "no QueryRNN": table().assign(std=np.nan),
    "nothing finite": table().assign(std=np.nan, estimate=np.nan, delta=np.nan),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_files(data, tmp_path):
    path = coordinate_figure(data, tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    height, width, _ = imread(path).shape
    assert height > 700
    assert width > 1000


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="table=no rows"):
        coordinate_figure(pd.DataFrame(), tmp_path / "x.png")

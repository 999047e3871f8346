import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from tests.plots.losses import frame
from zol2l.errors import InvalidInput
from zol2l.evaluation.summary import summarize
from zol2l.plots.points import points_figure

NAN = np.nan


def table(points, losses, queries=None, rates=1.0, iterations=None):
    """Rows of methods whose values at each of `points` are given, point by point."""
    rows = []
    for i, point in enumerate(points):
        for method, values in losses.items():
            counted = queries[method][i] if queries else NAN
            row = {"method": method, "point": point, "instances": 4, "trials": 5}
            row |= {"final_loss_mean": values[i], "queries_to_success_mean": counted}
            if iterations:
                row["iterations_to_success_mean"] = iterations[method][i]
            rate = rates[method][i] if isinstance(rates, dict) else rates
            rows.append(row | {"success_rate": rate})
    return pd.DataFrame(rows)


def hollow(axes):
    return [line for line in axes.lines if line.get_markerfacecolor() == "white"]


def points_of(axes):
    """Data of the lines that are not those of hollow markers."""
    return [line.get_xydata().tolist() for line in axes.lines if line not in hollow(axes)]


def ticks(axes):
    return [text.get_text() for text in axes.get_xticklabels()]


SIZES = ["7x7", "28x28", "14x14"]
LOSSES = {"zo_sgd": [3, 2, 1], "zo_lstm": [2, 1, 0.5]}
QUERIES = {"zo_sgd": [10, 20, 40], "zo_lstm": [5, 6, 7]}


def test_numbers_stand_at_their_place(drawn, tmp_path):
    points_figure(table([20, 60, 40], LOSSES, QUERIES), tmp_path / "x.png", "Directions q")
    queries, loss = drawn[0].axes
    assert points_of(queries) == [
        [[20, 10], [40, 40], [60, 20]],
        [[20, 5], [40, 7], [60, 6]],
    ]
    assert points_of(loss) == [[[20, 3], [40, 1], [60, 2]], [[20, 2], [40, 0.5], [60, 1]]]
    assert ticks(loss) == ["20", "40", "60"]
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["Queries to success", "Final loss"]
    assert [axes.get_xlabel() for axes in drawn[0].axes] == ["Directions q"] * 2
    assert [axes.get_xscale() for axes in drawn[0].axes] == ["linear"] * 2
    names, note = drawn[0].legends
    assert [text.get_text() for text in names.texts] == ["ZO-SGD", "ZO-LSTM"]
    assert note.get_title().get_text() == "Means of 4 instances \u00d7 5 trials"


@pytest.mark.parametrize(
    ("points", "scale"),
    [
        ([1, 10], "linear"),
        ([1, 10.5], "log"),
        ([0.0, 100.0], "linear"),
        ([-1, 100], "linear"),
        ([5], "linear"),
    ],
)
def test_numbers_that_span_more_than_a_factor_of_ten_are_logarithmic(
    drawn, tmp_path, points, scale
):
    losses = {"zo_sgd": [1.0] * len(points)}
    points_figure(table(points, losses), tmp_path / "x.png", "d")
    (axes,) = drawn[0].axes
    assert axes.get_xscale() == scale
    assert points_of(axes) == [[[point, 1] for point in points]]
    assert ticks(axes) == [f"{point:g}" for point in points]


def test_numbers_of_an_object_column_are_numbers(drawn, tmp_path):
    data = table([10, 30], {"zo_sgd": [1, 2]})
    points_figure(data.astype({"point": object}), tmp_path / "x.png", "q")
    assert points_of(drawn[0].axes[0]) == [[[10, 1], [30, 2]]]


def test_strings_are_categories_in_the_order_of_the_table(drawn, tmp_path):
    points_figure(table(SIZES, LOSSES, QUERIES), tmp_path / "x.png", "Dimension")
    loss = drawn[0].axes[1]
    assert points_of(loss) == [[[0, 3], [1, 2], [2, 1]], [[0, 2], [1, 1], [2, 0.5]]]
    assert ticks(loss) == SIZES
    assert loss.get_xticks().tolist() == [0, 1, 2]
    assert {line.get_linestyle() for line in loss.get_lines()} == {"None"}


def test_iterations_are_drawn_where_the_table_has_them(drawn, tmp_path):
    steps = {"zo_sgd": [1, 2, 4], "zo_lstm": [3, 2, 1]}
    points_figure(table(SIZES, LOSSES, QUERIES, iterations=steps), tmp_path / "x.png", "d")
    _, axes, _ = drawn[0].axes
    assert axes.get_ylabel() == "Iterations to success"
    assert points_of(axes) == [[[0, 1], [1, 2], [2, 4]], [[0, 3], [1, 2], [2, 1]]]
    assert axes.get_ylim()[0] == 0


def test_a_problem_without_success_has_the_loss_alone(drawn, tmp_path):
    never = {method: [NAN] * 3 for method in LOSSES}
    data = table(SIZES, LOSSES, rates=0.0, iterations=never)
    points_figure(data, tmp_path / "x.png", "d")
    (axes,) = drawn[0].axes
    assert axes.get_ylabel() == "Final loss"
    assert hollow(axes)[0].get_xydata().size == 0
    assert drawn[0].legends[1].get_title().get_text().count("\n") == 0


def test_points_with_failures_are_open_and_points_without_success_missing(drawn, tmp_path):
    counted = {"zo_sgd": [10, 20, NAN], "zo_lstm": [5, 6, 7]}
    rates = {"zo_sgd": [1, 0.5, 0], "zo_lstm": [1, 1, 0.95]}
    points_figure(table(SIZES, LOSSES, counted, rates), tmp_path / "x.png", "d")
    queries, loss = drawn[0].axes
    first, second = hollow(queries)
    assert first.get_xydata()[0].tolist() == [1, 20]
    assert np.isnan(first.get_ydata()[1])
    assert second.get_xydata().tolist() == [[2, 7]]
    # the final loss of runs that failed is part of the mean
    assert not any(line.get_xydata().size for line in hollow(loss))
    note = drawn[0].legends[1].get_title().get_text()
    assert "Open: some runs failed" in note
    assert "No marker: all failed" in note


def test_no_failures_need_no_note(drawn, tmp_path):
    points_figure(table(SIZES, LOSSES, QUERIES), tmp_path / "x.png", "d")
    note = drawn[0].legends[1].get_title().get_text()
    assert "fail" not in note


def test_a_wide_range_of_losses_is_logarithmic(drawn, tmp_path):
    points_figure(table([1, 2], {"zo_sgd": [100, NAN], "a": [1, 2]}), tmp_path / "x.png", "d")
    assert drawn[0].axes[0].get_yscale() == "log"


@pytest.mark.parametrize("points", [SIZES * 2, [5, 10, 20, 60, 80, 100]])
def test_no_labels_overlap(drawn, tmp_path, points):
    names = [f"{p}{i}" if isinstance(p, str) else p for i, p in enumerate(points)]
    losses = {"zo_sgd": list(range(1, 7))}
    data = table(names, losses, losses, iterations=losses)
    points_figure(data, tmp_path / "x.png", "A setting of which there is much to be said")
    for axes in drawn[0].axes:
        boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    boxes = [axes.xaxis.label.get_window_extent() for axes in drawn[0].axes]
    boxes += [legend.get_window_extent() for legend in drawn[0].legends]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_the_table_is_the_summary_with_points(drawn, tmp_path):
    parts = []
    for point, last in ((5, 2.0), (10, 1.0)):
        results = frame({"zo_sgd": [[[3, last]], [[3, last + 1]]]})
        results = results.assign(success=results["loss"] < 1.5, distortion=0.0, attack_loss=0.0)
        parts.append(summarize(results).assign(point=point))
    points_figure(pd.concat(parts, ignore_index=True), tmp_path / "x.png", "q")
    queries, loss = drawn[0].axes
    assert points_of(loss) == [[[5, 2.5], [10, 1.5]]]
    assert hollow(queries)[0].get_xydata()[1].tolist() == [10, 4]


CASES = {
    "methods": table(SIZES, LOSSES, QUERIES),
    "one method and point": table([20], {"mine": [1]}, {"mine": [4]}),
    "no loss": table([20, 30], {"mine": [NAN, NAN]}),
    "a method at one point alone": pd.concat(
        [table(SIZES, LOSSES, QUERIES), table(SIZES[1:2], {"mine": [1]}, {"mine": [9]}, 0.5)]
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_files(data, tmp_path):
    path = points_figure(data, tmp_path / "figure.png", "Dimension")
    assert path == tmp_path / "figure.png"
    height, width, _ = imread(path).shape
    assert height == 510
    assert width >= 1000


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="table=no rows"):
        points_figure(pd.DataFrame(), tmp_path / "x.png", "q")

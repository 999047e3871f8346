import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from tests.plots.losses import frame
from zol2l.evaluation.summary import stopped_runs
from zol2l.plots.curves import (
    logarithmic,
    loss_against_iterations,
    loss_against_queries,
    loss_curves,
    spread_note,
)

TWO_TRIALS = {"zo_sgd": [[[4, 2], [4, 3]], [[6, 4], [6, 7]]], "zo_lstm": [[[4, 1], [4, 1]]] * 2}


def test_means_and_deviation_over_trials_of_the_mean_over_instances():
    table = loss_curves(frame(TWO_TRIALS), "step")
    sgd = table[table["method"] == "zo_sgd"]
    assert sgd["x"].tolist() == [0, 1]
    assert sgd["mean"].tolist() == [5, 4]
    # the trials' means are 3 and 5 at step 1
    assert sgd["spread"].tolist() == pytest.approx([0, np.sqrt(2)])
    assert table["method"].tolist() == ["zo_sgd", "zo_sgd", "zo_lstm", "zo_lstm"]
    assert "deviation over 2 trials" in spread_note(frame(TWO_TRIALS))


def test_one_trial_has_the_standard_error_over_instances():
    results = frame({"zo_sgd": [[[1, 2]], [[3, 2]], [[5, 5]]]})
    table = loss_curves(results, "step")
    assert table["mean"].tolist() == [3, 3]
    assert table["spread"].tolist() == pytest.approx([2 / np.sqrt(3), np.sqrt(3) / np.sqrt(3)])
    assert "error over 3 instances" in spread_note(results)


def test_one_run_has_no_spread():
    results = frame({"zo_sgd": [[[1, 2]]]})
    assert loss_curves(results, "step")["spread"].isna().all()
    assert spread_note(results) == ""


def test_queries_are_each_method_s_own():
    results = pd.concat([frame({"a": [[[3, 2, 1]]]}, cost=21), frame({"b": [[[3, 2, 1]]]}, cost=2)])
    table = loss_curves(results, "queries")
    assert table["x"].tolist() == [1, 22, 43, 1, 3, 5]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_stopped_runs_leave_the_mean_and_are_counted(bad):
    results = frame({"zo_sgd": [[[4, bad, np.nan]], [[6, 5, 4]]], "zo_lstm": [[[4, 3, 2]]] * 2})
    table = loss_curves(results, "step")
    assert table.loc[table["method"] == "zo_sgd", "mean"].tolist() == [5, 5, 4]
    assert stopped_runs(results) == {"zo_sgd": 1}


def test_the_axis_is_logarithmic_for_positive_means_of_a_wide_range():
    assert logarithmic(pd.Series([31.0, 1.0]))
    assert not logarithmic(pd.Series([30.0, 1.0]))
    assert not logarithmic(pd.Series([31.0, 0.0]))
    assert not logarithmic(pd.Series([], dtype=float))


def test_lines_hold_the_means(drawn, tmp_path):
    loss_against_queries(frame(TWO_TRIALS), tmp_path / "x.png")
    axes = drawn[0].axes[0]
    sgd, lstm = axes.lines
    assert sgd.get_xydata().tolist() == [[1, 5], [4, 4]]
    assert lstm.get_xydata().tolist() == [[1, 4], [4, 1]]
    assert (sgd.get_label(), lstm.get_label()) == ("ZO-SGD", "ZO-LSTM")
    assert "Queries" in axes.get_xlabel()
    assert axes.get_ylabel() == "Loss (mean of 2 instances \u00d7 2 trials)"
    assert axes.get_yscale() == "linear"


def test_the_shade_is_the_spread(drawn, tmp_path):
    loss_against_iterations(frame(TWO_TRIALS), tmp_path / "x.png")
    corners = drawn[0].axes[0].collections[0].get_paths()[0].vertices
    heights = sorted({round(y, 4) for x, y in corners if x == 1})
    assert heights == [round(4 - np.sqrt(2), 4), round(4 + np.sqrt(2), 4)]


def test_a_wide_range_is_drawn_logarithmic_with_a_positive_shade(drawn, tmp_path):
    results = frame({"zo_sgd": [[[900, 1]], [[1100, 9]], [[1000, 0.5]]]})
    loss_against_iterations(results, tmp_path / "x.png")
    axes = drawn[0].axes[0]
    assert axes.get_yscale() == "log"
    assert axes.collections[0].get_paths()[0].vertices[:, 1].min() > 0


def test_the_legend_says_what_was_stopped(drawn, tmp_path):
    results = frame({"zo_sgd": [[[4, np.nan]], [[6, 5]]], "zo_lstm": [[[4, 3]]] * 2})
    loss_against_iterations(results, tmp_path / "x.png")
    names, note = drawn[0].legends
    assert [text.get_text() for text in names.texts] == ["ZO-SGD\n(1 run stopped)", "ZO-LSTM"]
    assert "Stopped runs leave the mean" in note.get_title().get_text()


CASES = {
    "methods": TWO_TRIALS,
    "one method, trial, instance and iteration": {"mine": [[[2, 1]]]},
    "start only": {"zo_sgd": [[[2]], [[3]]]},
    "all stopped": {"zo_sgd": [[[np.nan, np.nan]]], "zo_lstm": [[[2, 1]]]},
    "nothing finite": {"zo_sgd": [[[np.nan, np.nan]]]},
    "constant": {"zo_sgd": [[[1, 1]]]},
    "negative": {"zo_sgd": [[[1, -100]]]},
}


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("draw", [loss_against_iterations, loss_against_queries])
@pytest.mark.parametrize("losses", CASES.values(), ids=CASES)
def test_files(draw, losses, tmp_path):
    path = draw(frame(losses), tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    assert imread(path).shape == (600, 1140, 4)

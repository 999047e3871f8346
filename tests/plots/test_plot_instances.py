import numpy as np
import pytest
from matplotlib.image import imread

from tests.plots.losses import frame
from zol2l.errors import InvalidInput
from zol2l.plots.instances import loss_per_instance

TWO = {
    "zo_sgd": [[[4, 2], [4, 3]], [[6, 4], [6, 7]]],
    "zo_lstm": [[[4, 1], [4, 1]], [[6, 2], [6, 4]]],
}


def many(instances, trials=2, iterates=3):
    losses = np.random.default_rng(0).uniform(1, 2, (instances, trials, iterates))
    return frame({"zo_sgd": losses, "zo_lstm": losses / 2})


def test_each_panel_holds_the_means_over_trials_of_its_instance(drawn, tmp_path):
    loss_per_instance(frame(TWO), tmp_path / "x.png")
    first, second = drawn[0].axes
    assert [axes.get_title() for axes in (first, second)] == ["Instance 0", "Instance 1"]
    assert [line.get_xydata().tolist() for line in first.lines] == [
        [[0, 4], [1, 2.5]],
        [[0, 4], [1, 1]],
    ]
    assert [line.get_xydata().tolist() for line in second.lines] == [
        [[0, 6], [1, 5.5]],
        [[0, 6], [1, 3]],
    ]
    assert first.get_ylabel() == "Loss (mean of 2 trials)"
    assert first.get_xlabel() == second.get_xlabel() == "Iteration"


def test_the_shade_is_the_deviation_over_trials(drawn, tmp_path):
    loss_per_instance(frame(TWO), tmp_path / "x.png")
    corners = drawn[0].axes[1].collections[0].get_paths()[0].vertices
    heights = sorted({round(y, 4) for x, y in corners if x == 1})
    # the losses of the two trials at step 1 are 4 and 7
    assert heights == [round(5.5 - 3 / np.sqrt(2), 4), round(5.5 + 3 / np.sqrt(2), 4)]
    assert "deviation over 2 trials" in drawn[0].legends[1].get_title().get_text()


@pytest.mark.parametrize("instances", [2, 3, 4, 5, 6, 7])
def test_one_legend_and_no_more_panels_than_asked_for(drawn, tmp_path, instances):
    loss_per_instance(many(instances), tmp_path / "x.png")
    names, note = drawn[0].legends
    assert [text.get_text() for text in names.texts] == ["ZO-SGD", "ZO-LSTM"]
    assert len(drawn[0].axes) == min(instances, 6)
    assert ("First 6 of 7 instances" in note.get_title().get_text()) == (instances == 7)
    # every column has the label of its axis at its lowest panel
    lowest = {axes.get_position().x0: axes for axes in drawn[0].axes}
    assert all(axes.get_xlabel() == "Iteration" for axes in lowest.values())
    assert sum(bool(axes.get_xlabel()) for axes in drawn[0].axes) == len(lowest)


def test_the_first_instances_are_drawn(drawn, tmp_path):
    results = many(5)
    results["instance"] += 7
    loss_per_instance(results, tmp_path / "x.png", most=2)
    assert [axes.get_title() for axes in drawn[0].axes] == ["Instance 7", "Instance 8"]


def test_only_stopped_runs_of_the_instances_drawn_are_counted(drawn, tmp_path):
    results = many(3)
    bad = (results["trial"] == 0) & (results["step"] == 2) & (results["method"] == "zo_sgd")
    results.loc[bad & (results["instance"] != 1), "loss"] = np.nan
    loss_per_instance(results, tmp_path / "x.png", most=2)
    names, note = drawn[0].legends
    assert [text.get_text() for text in names.texts] == ["ZO-SGD\n(1 run stopped)", "ZO-LSTM"]
    assert "Stopped runs leave the mean" in note.get_title().get_text()
    at_two = results.query("method == 'zo_sgd' and instance == 0 and step == 2 and trial == 1")
    assert drawn[0].axes[0].lines[0].get_ydata()[-1] == at_two["loss"].item()


@pytest.mark.parametrize(("last", "scale"), [(10, "linear"), (0.1, "log"), (-0.1, "linear")])
def test_panels_are_logarithmic_together(drawn, tmp_path, last, scale):
    losses = [[[9, last], [9, last]], [[9, 8], [9, 7]]]
    loss_per_instance(frame({"zo_sgd": losses}), tmp_path / "x.png")
    assert [axes.get_yscale() for axes in drawn[0].axes] == [scale] * 2


def test_one_panel_that_is_not_positive_keeps_all_linear(drawn, tmp_path):
    losses = [[[9, 0.1], [9, 0.1]], [[9, -1], [9, -1]]]
    loss_per_instance(frame({"zo_sgd": losses}), tmp_path / "x.png")
    assert [axes.get_yscale() for axes in drawn[0].axes] == ["linear"] * 2


@pytest.mark.parametrize(("instances", "trials"), [(1, 3), (3, 1), (1, 1)])
def test_no_figure_of_one_instance_or_one_trial(tmp_path, instances, trials):
    assert loss_per_instance(many(instances, trials), tmp_path / "figure.png") is None
    assert list(tmp_path.iterdir()) == []


CASES = {
    "methods": frame(TWO),
    "one method": many(4).query("method == 'zo_sgd'"),
    "start only": many(2, iterates=1),
    "an instance all stopped": frame({"mine": [[[np.nan] * 2] * 2, [[2, 1]] * 2]}),
    "nothing finite": frame({"zo_sgd": [[[np.nan] * 2] * 2] * 2}),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("results", CASES.values(), ids=CASES)
def test_files(results, tmp_path):
    path = loss_per_instance(results, tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    height, width, _ = imread(path).shape
    assert height >= 345
    assert width >= 1000


def test_no_panels_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="most=0"):
        loss_per_instance(many(3), tmp_path / "x.png", most=0)

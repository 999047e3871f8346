import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from zol2l.evaluation.summary import knows_success, summarize
from zol2l.plots.success import success_against_queries, success_curves


def frame(firsts, cost, steps=4, attack=True):
    """Runs of one method, an instance each, that succeed from step `firsts` on (None: never)."""
    instance, step = (index.ravel() for index in np.indices((len(firsts), steps + 1)))
    first = np.array([np.inf if f is None else f for f in firsts])
    results = pd.DataFrame({"instance": instance, "trial": 0, "step": step})
    results["queries"] = step * cost + 1
    results["success"] = step >= first[instance]
    results["attack_loss"] = np.where(results["success"], 0.0, 1.0) if attack else np.nan
    return results.assign(loss=1.0, distortion=1.0)


def both():
    sgd = frame([3, None, 2, None], cost=10).assign(method="zo_sgd")
    lstm = frame([1, 1, 4, None], cost=20).assign(method="zo_lstm")
    results = pd.concat([sgd, lstm], ignore_index=True)
    order = ["zo_sgd", "zo_lstm"]
    return results.assign(method=pd.Categorical(results["method"], order, ordered=True))


def test_corners_by_hand():
    curves = success_curves(both())
    assert list(curves) == ["zo_sgd", "zo_lstm"]
    queries, fraction = curves["zo_sgd"]
    assert queries.tolist() == [0, 21, 31, 81]
    assert fraction.tolist() == [0, 0.25, 0.5, 0.5]
    queries, fraction = curves["zo_lstm"]
    assert queries.tolist() == [0, 21, 21, 81, 81]
    assert fraction.tolist() == [0, 0.25, 0.5, 0.75, 0.75]


def test_curves_end_at_the_success_rate_of_the_summary():
    results = both()
    rates = summarize(results).set_index("method")["success_rate"]
    for method, (_, fraction) in success_curves(results).items():
        assert fraction[-1] == rates[method]


def test_only_the_first_success_counts():
    results = frame([1], cost=1).assign(method="a")
    results.loc[results["step"] == 2, "success"] = False
    queries, fraction = success_curves(results)["a"]
    assert queries.tolist() == [0, 2, 5]
    assert fraction.tolist() == [0, 1, 1]


def test_no_success_is_a_flat_line_but_still_an_attack():
    results = frame([None, None], cost=5).assign(method="a")
    assert knows_success(results)
    queries, fraction = success_curves(results)["a"]
    assert queries.tolist() == [0, 21]
    assert fraction.tolist() == [0, 0]


def test_a_problem_without_success_has_no_figure(tmp_path):
    results = frame([None], cost=5, attack=False).assign(method="a")
    assert not knows_success(results)
    assert success_against_queries(results, tmp_path / "figure.png") is None
    assert list(tmp_path.iterdir()) == []


def test_stopped_runs_count_as_failures():
    results = frame([1, 1], cost=5).assign(method="a")
    bad = results["instance"] == 1
    results.loc[bad, ["loss", "attack_loss"]] = np.nan
    results.loc[bad, "success"] = False
    assert success_curves(results)["a"][1][-1] == 0.5


def test_a_dot_marks_a_method_that_ended_early(drawn, tmp_path):
    success_against_queries(both(), tmp_path / "x.png")
    figure = drawn[0]
    sgd, dot, lstm = figure.axes[0].lines
    assert dot.get_xydata().tolist() == [[41, 0.5]]
    assert sgd.get_xdata()[-1] == lstm.get_xdata()[-1] == 81
    assert sgd.get_drawstyle() == "steps-post"
    assert [text.get_text() for text in figure.legends[0].texts] == ["ZO-SGD", "ZO-LSTM"]
    assert "end here" in figure.legends[1].get_title().get_text()


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_files(steps, tmp_path):
    results = frame([0, 1, None], cost=5, steps=steps).assign(method="zo_lstm")
    path = success_against_queries(results, tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    assert imread(path).shape == (600, 1140, 4)

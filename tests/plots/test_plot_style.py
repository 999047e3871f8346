import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

import zol2l.plots
from zol2l.plots.style import (
    ATTACK_LINES,
    ATTACKER_LINES,
    DEFENSE_LINES,
    LINES,
    NAMES,
    OTHERS,
    chart,
    count_axis,
    legend,
    lines,
    pretty,
    save,
    styled,
)


def test_names():
    assert pretty("zo_signsgd") == "ZO-signSGD"
    assert pretty("no_update") == "ZO-LSTM-no-update"
    assert pretty("transfer") == "ZO-LSTM-transfer"
    assert pretty("zo_sgd_guided_es") == "ZO-SGD-GuidedES"
    assert pretty("my_method") == "my_method"


def test_a_method_keeps_its_line_whatever_stands_beside_it():
    alone = lines(["zo_adam"])["zo_adam"]
    assert lines(["zo_lstm", "mine", "zo_adam"])["zo_adam"] == alone
    assert lines(["mine"])["mine"] == lines(["zo_lstm", "mine"])["mine"]
    assert list(lines(["b", "zo_sgd", "a"])) == ["b", "zo_sgd", "a"]


def test_methods_differ_and_zo_lstm_stands_out():
    others = [f"method_{i}" for i in range(len(OTHERS))]
    drawn = lines([*LINES, *others])
    looks = {(line["color"], line["linestyle"]) for line in drawn.values()}
    assert len(looks) == len(drawn)
    widest = max(drawn, key=lambda name: drawn[name]["linewidth"])
    assert widest == "zo_lstm"
    assert drawn["zo_lstm"]["color"] == "black"


def test_every_name_has_a_line():
    drawn = LINES.keys() | ATTACK_LINES.keys() | DEFENSE_LINES.keys() | ATTACKER_LINES.keys()
    no_curve = {"plain_net", "pgd_net", "autoattack", "min"}
    assert drawn | no_curve == NAMES.keys() and not drawn & no_curve
    for table in (ATTACK_LINES, DEFENSE_LINES, ATTACKER_LINES):
        assert len(set(table.values())) == len(table)


def test_a_variant_that_coincides_with_zo_lstm_is_seen_on_top_of_it():
    drawn = lines(["zo_sgd", "zo_lstm", "finetune", "mine"])
    layers = {name: line["zorder"] for name, line in drawn.items()}
    assert layers["zo_sgd"] < layers["zo_lstm"] < layers["finetune"]
    assert drawn["finetune"]["linestyle"] != "-" != drawn["mine"]["linestyle"]


def test_more_methods_than_lines_still_draw():
    assert len(lines([f"method_{i}" for i in range(40)])) == 40


def test_the_style_neither_leaks_out_nor_lets_others_in():
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 3}):
        before = dict(matplotlib.rcParams)
        with styled():
            assert matplotlib.rcParams["axes.facecolor"] == "white"
            assert matplotlib.rcParams["font.size"] == 10
        assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("methods", [1, 30])
def test_the_legend_fits_the_figure(methods):
    with styled():
        figure, axes = chart()
        for i in range(methods):
            axes.plot([0, 1], [0, i], label=f"a method\n(number {i})")
        count_axis(axes, "Iteration", 1)
        legend(figure, "a note\nof two lines")
        figure.draw_without_rendering()
        names, note = (box.get_window_extent() for box in figure.legends)
        assert note.y1 <= names.y0
        assert names.y1 <= figure.bbox.y1
        assert axes.get_window_extent().x1 <= names.x0


def test_save_writes_a_png_and_nothing_else(tmp_path):
    figure, _ = chart()
    path = tmp_path / "new" / "figure.png"
    assert save(figure, path) == path
    assert [file.name for file in path.parent.iterdir()] == ["figure.png"]
    assert path.read_bytes().startswith(b"\x89PNG")
    assert imread(path).shape == (600, 1140, 4)
    assert np.ptp(imread(path)) > 0


def test_a_failed_save_leaves_the_old_figure(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("old")
    figure, axes = chart()
    axes.set_title("$\\nosuchcommand$")
    with pytest.raises(ValueError, match="nosuchcommand"):
        save(figure, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_figures_see_results_alone_and_need_no_pyplot_and_hence_no_display():
    for file in Path(zol2l.plots.__file__).parent.glob("*.py"):
        source = file.read_text()
        assert "pyplot" not in source
        seen = set(re.findall(r"(?:from|import) (zol2l[.\w]*|torch)", source))
        parts = ("results", "robust_results", "summary")
        results = {f"zol2l.evaluation.{part}" for part in parts}
        others = {name for name in seen if not name.startswith("zol2l.plots")}
        assert others <= results | {
            "zol2l.storage.files",
            "zol2l.storage.bad_files",
            "zol2l.errors",
        }

"""What the figures of robust classifiers show, on numbers written by hand."""

import numpy as np
import pandas as pd
import pytest

from zol2l.plots.intervals import intervals_figure
from zol2l.plots.landscape import landscape_figure
from zol2l.plots.robust import loss_against_radius, robust_accuracy
from zol2l.plots.trajectories import trajectories_figure


def rows(correct: dict[tuple[str, int, str], list[bool]], radius: float = 1.0) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {"method": method, "seed": seed, "attacker": attacker, "radius": radius,
             "instance": (each := np.arange(len(known))), "correct": known, "loss": radius + each}
        )
        for (method, seed, attacker), known in correct.items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_accuracies_are_means_and_ranges_over_seeds_in_percent(drawn, tmp_path):
    known = {
        ("plain", 0, "natural"): [True, True, True, True],
        ("plain", 0, "pgd10"): [True, True, True, False],
        ("plain", 1, "natural"): [True, True, True, True],
        ("plain", 1, "pgd10"): [True, False, False, False],
    }
    robust_accuracy(rows(known), tmp_path / "robust.png")
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Natural", "PGD-10", "Min"]
    (bars,) = axes.containers
    line, _, (ranges,) = bars.lines
    assert line.get_ydata().tolist() == [100, 50, 50]
    ends = [tuple(map(float, segment[:, 1])) for segment in ranges.get_segments()]
    assert ends == [(100, 100), (25, 75), (25, 75)]


def test_the_loss_against_the_radius_is_of_the_images_that_have_all_radii(drawn, tmp_path):
    wide = rows({("plain", 0, "pgd10"): [False, False]}, radius=2.0)
    near = rows({("plain", 0, "pgd10"): [True] * 4, ("plain", 0, "natural"): [True] * 4})
    loss_against_radius(pd.concat([near, wide], ignore_index=True), tmp_path / "radius.png")
    (line,) = drawn[0].axes[0].lines
    assert line.get_xydata().tolist() == [[1, 1.5], [2, 2.5]]


def test_a_trajectory_is_drawn_in_its_defenses_panel(drawn, tmp_path):
    table = pd.DataFrame(
        {"method": ["plain", "plain", "trades", "trades"], "attacker": "pgd10",
         "step": [0, 1, 0, 1], "loss": [1.0, 4.0, 1.0, 2.0]}
    )  # fmt: skip
    trajectories_figure(table, tmp_path / "trajectories.png")
    panels = {axes.get_title(): axes.lines[0].get_ydata().tolist() for axes in drawn[0].axes}
    assert panels == {"Plain": [1, 4], "TRADES": [1, 2]}


def test_a_landscape_has_the_gradient_along_x(drawn, tmp_path):
    places = [(x, y) for x in (-0.1, 0.0, 0.1) for y in (-0.1, 0.0, 0.1)]
    table = pd.DataFrame(places, columns=["along_gradient", "along_random"])
    table = table.assign(method="plain", loss=np.exp(10 * table["along_gradient"]))
    landscape_figure(table, tmp_path / "landscape.png")
    (mesh,) = drawn[0].axes[0].collections
    losses = np.asarray(mesh.get_array())
    assert losses.shape == (3, 3)
    assert np.allclose(losses, np.exp([-1, 0, 1])), "rising from left to right, level upwards"


def test_intervals_reach_from_low_to_high_and_one_seed_has_none(drawn, tmp_path):
    table = pd.DataFrame(
        {"metric": "final loss", "method": ["zo_sgd", "zo_adam"], "mean": [2.0, 3.0],
         "low": [1.5, np.nan], "high": [3.0, np.nan]}
    )  # fmt: skip
    intervals_figure(table, tmp_path / "intervals.png")
    (axes,) = drawn[0].axes
    first, second = axes.containers
    (segment,) = first.lines[2][0].get_segments()
    assert segment[:, 0].tolist() == pytest.approx([1.5, 3.0])
    assert second.lines[2] == ()
    assert [float(c.lines[0].get_xdata()[0]) for c in axes.containers] == [2, 3]

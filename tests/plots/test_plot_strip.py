import numpy as np
import pytest
from matplotlib.image import imread

from zol2l.errors import InvalidInput
from zol2l.plots.strip import adversarial_strip, strip
from zol2l.plots.style import RED


def taken(steps=(0, 5, 10), channels=1, height=6, width=6, instances=2):
    """Pictures as zol2l.evaluation writes them: label 3, lost at the last step."""
    shape = instances, len(steps), channels, height, width
    predictions = np.full(shape[:2], 3)
    predictions[:, -1] = 8
    return {
        "images": np.random.default_rng(0).random(shape, dtype=np.float32),
        "steps": np.array(steps),
        "predictions": predictions,
        "labels": np.full(instances, 3),
    }


def grid(figure, columns):
    return [figure.axes[i : i + columns] for i in range(0, len(figure.axes), columns)]


def test_one_axes_per_method_and_iteration():
    figure = strip({"zo_sgd": taken(), "zo_lstm": taken()}, 0)
    rows = grid(figure, 3)
    assert len(rows) == 2
    assert all(len(axes.images) == 1 for axes in figure.axes)
    assert [row[0].get_ylabel() for row in rows] == ["ZO-SGD", "ZO-LSTM"]
    assert [axes.get_title() for axes in rows[0]] == ["0", "5", "10"]
    assert [axes.get_title() for axes in rows[1]] == ["", "", ""]
    assert figure.texts[0].get_text() == "True label 3 (instance 0)"


def test_a_lost_label_is_coloured_and_an_unknown_one_is_a_dash():
    pictures = taken()
    pictures["predictions"][1] = [3, -1, 8]
    below = [axes.xaxis.label for axes in strip({"zo_sgd": pictures}, 1).axes]
    assert [label.get_text() for label in below] == ["3", "-", "8"]
    assert [label.get_color() == RED for label in below] == [False, False, True]
    assert [label.get_fontweight() == "bold" for label in below] == [False, False, True]


def test_a_method_that_ended_early_leaves_columns_empty():
    figure = strip({"zo_sgd": taken((0, 5)), "zo_lstm": taken()}, 0)
    rows = grid(figure, 3)
    assert [len(axes.images) for axes in rows[0]] == [1, 1, 0]
    assert [len(axes.images) for axes in rows[1]] == [1, 1, 1]
    assert [axes.get_title() for axes in rows[0]] == ["0", "5", "10"]


def test_the_pixels_shown_are_the_instance_s_own():
    gray, colour = taken(), taken(channels=3)
    shown = strip({"a": gray}, 1).axes[2].images[0]
    np.testing.assert_array_equal(shown.get_array(), gray["images"][1, 2, 0])
    assert shown.get_clim() == (0, 1)
    assert shown.get_cmap().name == "gray"
    shown = strip({"a": colour}, 1).axes[2].images[0]
    np.testing.assert_array_equal(shown.get_array(), colour["images"][1, 2].transpose(1, 2, 0))


def test_no_text_overlaps_and_none_is_cut():
    pictures = {name: taken() for name in ("a", "a_method_of_a_rather_long_name", "zo_lstm")}
    figure = strip(pictures, 0)
    figure.draw_without_rendering()
    texts = [axes.title for axes in figure.axes] + [axes.xaxis.label for axes in figure.axes]
    texts += [axes.yaxis.label for axes in figure.axes] + figure.texts
    texts += [text for axes in figure.axes for text in axes.texts]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    images = [axes.get_window_extent() for axes in figure.axes]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:i] + images)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "pictures",
    [
        {"zo_lstm": taken(steps=(0,), instances=1)},
        {"zo_sgd": taken(), "zo_lstm": taken()},
        {"zo_sgd": taken(channels=3, height=9, width=5)},
    ],
)
def test_files(pictures, tmp_path):
    path = adversarial_strip(pictures, tmp_path / "strip.png")
    assert path == tmp_path / "strip.png"
    height, width, _ = imread(path).shape
    assert 200 < height < 1000
    assert 500 < width < 1000


@pytest.mark.parametrize("instance", [-1, 2])
def test_an_instance_without_pictures_is_refused(instance):
    with pytest.raises(InvalidInput, match=f"instance={instance}: 0 to 1"):
        strip({"zo_sgd": taken()}, instance)


def test_other_than_gray_or_rgb_is_refused():
    with pytest.raises(InvalidInput, match="channels=2"):
        strip({"zo_sgd": taken(channels=2)}, 0)


def test_no_pictures_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="pictures=none"):
        adversarial_strip({}, tmp_path / "strip.png")

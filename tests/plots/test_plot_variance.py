import numpy as np
import pytest
from matplotlib.image import imread

from zol2l.errors import InvalidInput
from zol2l.plots.variance import variance_images


def pictures(channels=1, height=6, width=5):
    shape = channels, height, width
    random = np.random.default_rng(0)
    return {
        "image": random.random(shape),
        "perturbation_zo_lstm": random.normal(0, 0.1, shape),
        "perturbation_no_query": random.normal(0, 0.3, shape),
        "variance": 1 + random.random(shape),
    }


def shown(figure):
    """The panels' images, colour bars left out, in order."""
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_four_titled_panels_of_the_arrays_given(drawn, tmp_path):
    data = pictures()
    variance_images(data, tmp_path / "x.png")
    for image, values in zip(shown(drawn[0]), data.values(), strict=True):
        np.testing.assert_array_equal(np.squeeze(image.get_array()), values[0])
    assert [axes.get_title() for axes in drawn[0].axes][:4] == [
        "Image",
        "Perturbation of\nZO-LSTM",
        "Perturbation of\nZO-LSTM-no-query",
        "Mean predicted variance\nof QueryRNN",
    ]


def test_the_perturbations_share_a_scale_symmetric_around_zero(drawn, tmp_path):
    data = pictures()
    data["perturbation_no_query"][0, 1, 2] = -2.5
    variance_images(data, tmp_path / "x.png")
    image, first, second, variance = shown(drawn[0])
    assert image.get_clim() == (0, 1)
    assert first.get_clim() == second.get_clim() == (-2.5, 2.5)
    assert first.get_cmap().name == second.get_cmap().name == "RdBu_r"
    assert variance.get_clim() == (data["variance"].min(), data["variance"].max())
    assert variance.get_cmap().name == "viridis"
    bars = drawn[0].axes[4:]
    assert [bar.get_ylabel() for bar in bars] == ["Change of pixels", "Variance (Gaussian: 1)"]


def test_maps_of_colour_images_are_means_over_channels(drawn, tmp_path):
    data = pictures(channels=3)
    variance_images(data, tmp_path / "x.png")
    image, first, second, variance = shown(drawn[0])
    np.testing.assert_array_equal(image.get_array(), data["image"].transpose(1, 2, 0))
    for drawing, name in ((first, "zo_lstm"), (second, "no_query")):
        means = data[f"perturbation_{name}"].mean(axis=0)
        np.testing.assert_allclose(drawing.get_array(), means)
    np.testing.assert_allclose(variance.get_array(), data["variance"].mean(axis=0))
    assert all("mean over channels" in bar.get_ylabel() for bar in drawn[0].axes[4:])


def test_no_perturbation_is_drawn_at_the_middle_of_the_scale(drawn, tmp_path):
    data = pictures()
    for name in ("zo_lstm", "no_query"):
        data[f"perturbation_{name}"] = np.zeros((1, 6, 5))
    variance_images(data, tmp_path / "x.png")
    assert shown(drawn[0])[1].get_clim() == (-1, 1)


def test_no_text_overlaps(drawn, tmp_path):
    variance_images(pictures(channels=3, width=6), tmp_path / "x.png")
    figure = drawn[0]
    boxes = [axes.title.get_window_extent() for axes in figure.axes[:4]]
    boxes += [bar.yaxis.label.get_window_extent() for bar in figure.axes[4:]]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:i])


NAN = np.full((1, 6, 5), np.nan)
CASES = {
    "gray": pictures(),
    "colour": pictures(channels=3),
    "one pixel": pictures(height=1, width=1),
    "constant variance": pictures() | {"variance": np.ones((1, 6, 5), dtype=np.float32)},
    "variance of another size": pictures() | {"variance": np.ones((1, 3, 3))},
    "not finite": pictures() | {"perturbation_zo_lstm": NAN, "variance": NAN},
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_files(data, tmp_path):
    path = variance_images(data, tmp_path / "figure.png")
    assert path == tmp_path / "figure.png"
    assert imread(path).shape == (390, 1440, 4)


def test_a_picture_that_is_missing_is_named(tmp_path):
    data = pictures()
    del data["variance"]
    with pytest.raises(InvalidInput, match=r"pictures=.*'variance' among them"):
        variance_images(data, tmp_path / "x.png")


@pytest.mark.parametrize("shape", [(2, 4, 4), (4, 4), (1, 1, 4, 4)])
def test_other_than_gray_or_rgb_is_refused(tmp_path, shape):
    with pytest.raises(InvalidInput, match=r"pictures\.variance="):
        variance_images(pictures() | {"variance": np.ones(shape)}, tmp_path / "x.png")

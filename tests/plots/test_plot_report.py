import pytest
import torch
from matplotlib.image import imread

from zol2l.errors import InvalidInput
from zol2l.evaluation.results import tidy, write_results
from zol2l.plots.report import draw_figures, read_pictures
from zol2l.storage.tensor_files import save_tensors
from zol2l.trajectory import Trajectory

LOSSES = ["loss_vs_iterations.png", "loss_vs_queries.png", "loss_per_instance.png"]


def trajectory(runs, steps, attack):
    loss = torch.linspace(2, 1, steps + 1).expand(runs, -1).clone()
    loss[0, -1] = torch.nan
    missing = torch.full_like(loss, torch.nan)
    return Trajectory(
        queries=torch.arange(steps + 1).expand(runs, -1) * 21 + 1,
        loss=loss,
        attack_loss=loss if attack else missing,
        distortion=loss if attack else missing,
        success=(loss < 1.5) & attack,
        prediction=torch.full(loss.shape, 3),
    )


def evaluated(folder, methods, *, steps=4, attack=True, pictured=2):
    """A folder as zol2l.evaluation leaves it: 2 instances x 2 trials of each method."""
    frames = [tidy(name, trajectory(4, steps, attack), 2, 2) for name in methods]
    write_results(folder / "results.parquet", frames)
    for name in methods if pictured else ():
        pictures = {
            "images": torch.rand(pictured, 2, 1, 6, 6),
            "steps": torch.tensor([0, steps]),
            "predictions": torch.tensor([[3, 5]]).repeat(pictured, 1),
            "labels": torch.full((pictured,), 3),
        }
        save_tensors(folder / "pictures" / f"{name}.safetensors", pictures)
    return folder


def names(paths, folder):
    assert all(path.parent == folder / "figures" for path in paths)
    assert sorted(paths) == sorted((folder / "figures").iterdir())
    return [path.name for path in paths]


def test_all_figures_of_an_attack(tmp_path):
    paths = draw_figures(evaluated(tmp_path, ["zo_sgd", "zo_lstm"]))
    strips = ["adversarial_images_0.png", "adversarial_images_1.png"]
    assert names(paths, tmp_path) == [*LOSSES, "success_vs_queries.png", *strips]
    assert all(min(imread(path).shape[:2]) > 200 for path in paths)


def test_a_problem_that_is_no_attack_has_figures_of_the_loss_alone(tmp_path):
    paths = draw_figures(evaluated(tmp_path, ["zo_lstm"], steps=1, attack=False, pictured=0))
    assert names(paths, tmp_path) == LOSSES


def test_drawing_again_gives_the_same_files(tmp_path):
    folder = evaluated(tmp_path, ["zo_sgd"], pictured=1)
    first = {path: path.read_bytes() for path in draw_figures(folder)}
    assert {path: path.read_bytes() for path in draw_figures(folder)} == first


def test_pictures_come_in_the_order_of_the_results_and_of_no_other_method(tmp_path):
    evaluated(tmp_path, ["a.b", "zo_lstm", "zo_adam"])
    pictures = read_pictures(tmp_path / "pictures", ["zo_lstm", "not_there", "a.b"])
    assert list(pictures) == ["zo_lstm", "a.b"]


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"folder=.*results\.parquet"):
        draw_figures(tmp_path)

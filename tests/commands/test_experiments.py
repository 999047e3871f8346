"""Every experiment runs its whole chain at scale=smoke, on stand-ins for MNIST and CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.commands.conftest import Zol2l
from tests.commands.stand_ins import stand_ins
from zol2l.commands.build import CONF
from zol2l.commands.options import entries

ELSEWHERE = ("ngd_table2_imagenet", "adv_")  # test_images.py, test_adversarial.py
NAMES = sorted(name for name in entries(CONF, "experiment") if not name.startswith(ELSEWHERE))
POINTS = {
    "fig3b_directions": 4, "fig3c_batch_size": 4, "fig3d_dimension": 4, "fig8_dimension": 6,
    "fig10_bernoulli": 5, "ngd_tableA2_hyperparameters": 4, "ngd_tableA2_radius": 4,
    "ngd_figA2_damping": 7, "ngd_tableA1_models": 2,
}  # fmt: skip
ANALYSES = {
    "fig4d_cosine": "cosine", "fig4e_trajectory": "coordinate", "fig9_variance": "variance",
    "ngd_figA2_probabilities": "probabilities",
}  # fmt: skip


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of this module's own."""
    return stand_ins(tmp_path_factory.mktemp("stand_ins"))


OPTIONS = { # beside the data a few directions and steps less, where all else is large
    "cifar10": "data=cifar10_jpeg", "cifar10_attack": "optimizee.directions=5",
    "mnist_attack": "optimizee.directions=5",
    "transfer_attack": "attacks.transfer_attack.inner.attack.steps=20",
}  # fmt: skip
SLOW = (
    "ngd_tableA1_models", "ngd_transferability", # they train VGG-16 and ResNet-18
    "fig6_cifar10_images", "fig7_ablation_images_cifar10", # as figures 5 and 7, on large images
)  # fmt: skip
BASELINES = ("zo_sgd", "zo_signsgd", "zo_adam")
ABLATION = ("zo_sgd", "no_query", "no_update", "guided_es", "zo_lstm")
TABLE_1 = ("zo_ngd", "nes_pgd", "zoo", "square", "transfer_attack")
COMPARED = {
    "fig2_mnist": (*BASELINES, "zo_lstm"),
    "fig2_cifar10": (*BASELINES, "zo_lstm", "transfer", "finetune"),
    "fig3a_binary": (*BASELINES, "zo_lstm", "transfer", "finetune"),
    **dict.fromkeys(("fig3b_directions", "fig3c_batch_size", "fig3d_dimension"),
                    ("zo_sgd", "zo_lstm")),
    **dict.fromkeys(("fig4a_ablation_mnist", "fig4b_ablation_cifar10", "fig4c_ablation_binary",
                     "fig7_ablation_images", "fig7_ablation_images_cifar10"), ABLATION),
    "fig5_mnist_images": (*BASELINES, "zo_lstm"),
    "fig6_cifar10_images": (*BASELINES, "zo_lstm", "transfer", "finetune"),
    "fig8_dimension": ("zo_sgd", "no_update"),
    "fig11_szvr_g": ("zo_sgd", "zo_szvr_g", "no_update"),
    "table1_evolution": (*BASELINES, "zo_lstm"),
    "ngd_table1_mnist": (*TABLE_1, "zo_ngd_mnist"),
    "ngd_table1_cifar10": (*TABLE_1, "zo_ngd_cifar10"),
    **dict.fromkeys(("ngd_whitebox", "ngd_whitebox_cifar10"), ("pgd", "ngd")),
}  # fmt: skip
"""What a figure or table sets side by side."""
RUN = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in NAMES]


@pytest.mark.parametrize("name", RUN)
def test_every_experiment_runs(zol2l: Zol2l, tmp_path: Path, name: str) -> None:
    source = "".join(sources(name))
    options = [option for part, option in OPTIONS.items() if f": {part}" in source]
    outcome = zol2l("reproduce", f"experiment={name}", "scale=smoke", "logger=csv", *options)
    assert outcome.status == 0, outcome.err
    folder = tmp_path / f"outputs/{name}-smoke"
    record = "reproduce-analysis.json" if name in ANALYSES else "reproduce.json"
    assert (folder / record).is_file()
    if name in ANALYSES:
        assert (folder / f"figures/{ANALYSES[name]}.png").is_file()
    elif name in POINTS:
        assert pd.read_csv(folder / "points.csv")["point"].nunique() == POINTS[name]
        assert (folder / "figures/points.png").is_file()
    elif name.startswith("ngd_"):
        assert (folder / "figures/success_vs_queries.png").is_file()
        assert pd.read_csv(folder / "summary.csv")["outside_ball_max"].max() <= 1e-6
    else:
        assert len(pd.read_csv(folder / "summary.csv")) >= 2
        assert (folder / "figures/loss_vs_queries.png").is_file()
    if name in COMPARED:
        table = pd.read_csv(folder / ("points.csv" if name in POINTS else "summary.csv"))
        assert set(table["method"]) == set(COMPARED[name])


def sources(name: str) -> list[str]:
    """An experiment's YAML and those of the experiments that it stands on."""
    text = (CONF / "experiment" / f"{name}.yaml").read_text()
    bases = [line[4:] for line in text.splitlines() if line.startswith(("  - fig", "  - ngd_"))]
    return [text, *(found for base in bases for found in sources(base))]


def test_every_figure_and_table_of_zo_l2l_has_its_experiment() -> None:
    figures = [
        "fig2_mnist", "fig2_cifar10", "fig3a", "fig3b", "fig3c", "fig3d", "fig4a", "fig4b", "fig4c",
        "fig4d", "fig4e", "fig5", "fig6", "fig7", "fig8", "fig9", "fig10", "fig11", "table1",
    ]  # fmt: skip
    for figure in figures:
        assert [name for name in NAMES if name.startswith(figure)], figure

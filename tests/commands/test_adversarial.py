"""`adv-train`, `adv-evaluate` and the experiments of adversarial training at scale=smoke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from tests.commands.conftest import Zol2l
from tests.commands.stand_ins import stand_ins
from tests.data.pictures import write
from zol2l.commands.build import CONF, build, plain
from zol2l.commands.cli import primary_config
from zol2l.commands.options import entries
from zol2l.commands.robust import build_classifier, shaped_by
from zol2l.data.datasets import ImageData, digits
from zol2l.evaluation.robust_results import read_robust
from zol2l.networks.convolutional import parameter_count
from zol2l.storage.json_files import read_json
from zol2l.storage.weights_file import read_signed

SMALL = ("network=digits", "network.network.width=2", "recipe.generator_width=2")
QUIET = ("scale=smoke", "logger=csv")
QUICK = (*QUIET, "recipe.train=60", "recipe.training.epochs=1", "recipe.training.batch_size=20")
"""Digits' smoke scale trains well enough to defend; most tests need less."""
EXPERIMENTS = sorted(name for name in entries(CONF, "experiment") if name.startswith("adv_"))
SHORT = ("~attackers.pgd100", "~attackers.cw100")
UNLEARNED = ("~attackers.l2lda", "~attackers.rnn")
ON_MNIST = ("table3_mnist", "table1_bls", "table6_steps", "table7_transfer", "fig2_trajectories",
            "fig3_landscape")  # fmt: skip
DEFENSES = ("plain", "advtrain", "trades", "l2lda", "rnn_adv", "rnn_trades")


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of this module's own."""
    return stand_ins(tmp_path_factory.mktemp("stand_ins"))


@pytest.fixture
def composed() -> Iterator[Callable[..., DictConfig]]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: compose("robust", list(overrides))


@pytest.mark.slow
def test_the_experiments_on_mnist_share_what_is_trained(zol2l: Zol2l, tmp_path: Path) -> None:
    for short in ON_MNIST:
        outcome = zol2l("reproduce", f"experiment=adv_{short}", *QUIET, *SMALL)
        assert outcome.status == 0, outcome.err
    outputs = tmp_path / "outputs"
    trained = sorted(p.name for p in (outputs / "adv_table3_mnist-smoke/defenses").iterdir())
    assert trained == sorted([*DEFENSES, "advtrain_bls", "plain_net", "pgd_net"])
    assert not (outputs / "adv_table6_steps-smoke/defenses").exists()

    table = pd.read_csv(outputs / "adv_table3_mnist-smoke/accuracies.csv")
    attackers = ["natural", "pgd10", "pgd100", "cw100", "l2lda", "rnn", "plain_net", "pgd_net"]
    assert list(table.columns) == ["method", "seed", *attackers, "min", "every"]
    assert list(table["method"]) == list(DEFENSES)
    rows = read_robust(outputs / "adv_table3_mnist-smoke/results.parquet")
    assert len(rows) == 6 * (8 * 10 + 3 * 5)
    checks = pd.read_csv(outputs / "adv_table7_transfer-smoke/gradient_checks.csv")
    assert list(checks.columns) == ["method", "more_steps", "black_box", "radius"]
    steps = pd.read_csv(outputs / "adv_table6_steps-smoke/accuracies.csv")
    assert {"rnn", "rnn40", "rnn_trades40", "pgd10", "pgd100"} < set(steps.columns)
    losses = pd.read_csv(outputs / "adv_fig2_trajectories-smoke/trajectories.csv")
    assert sorted(losses["attacker"].unique()) == ["l2lda", "pgd10", "rnn"]
    assert losses["step"].max() == 10
    first = losses[losses["step"] == 0].groupby("method")["loss"]
    assert (first.max() - first.min() < 1e-9).all(), "all attackers start at the same images"
    for name in ("table3_mnist", "table1_bls", "table6_steps", "table7_transfer"):
        assert (outputs / f"adv_{name}-smoke/figures/robust_accuracy.png").is_file()
    assert (outputs / "adv_fig2_trajectories-smoke/figures/trajectories.png").is_file()
    assert (outputs / "adv_fig3_landscape-smoke/figures/landscape.png").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "adv_table4_vgg16",
        pytest.param("adv_table5_wideresnet", marks=pytest.mark.slow),
        "adv_table2_cost",
    ],
)
def test_the_experiments_on_cifar10_run(zol2l: Zol2l, tmp_path: Path, name: str) -> None:
    short = ("analysis.updates=2",) if name == "adv_table2_cost" else ()
    fewer = () if short else ("~defenses.l2lda", "~attackers.l2lda", "~defenses.advtrain", *SHORT)
    arguments = (f"experiment={name}", "data=cifar10_jpeg", *QUIET, *SMALL, *short, *fewer)
    outcome = zol2l("reproduce", *arguments)
    assert outcome.status == 0, outcome.err
    folder = tmp_path / f"outputs/{name}-smoke"
    if not short:
        assert len(pd.read_csv(folder / "accuracies.csv")) == 4
        return
    cost = pd.read_csv(folder / "cost.csv").set_index("method")
    assert cost["weights"]["rnn_adv"] == cost["weights"]["rnn_trades"] == 120
    assert cost["weights"]["advtrain"] == 0 and cost["ratio"]["advtrain"] == 1
    assert (cost["seconds_per_epoch"] > 0).all()


def test_a_second_run_does_nothing_anew(zol2l: Zol2l, tmp_path: Path) -> None:
    commands = ("adv-train", "adv-evaluate")
    given = ("defense=rnn_adv", *QUICK, "~attackers.l2lda", *SHORT)
    for command in commands:
        outcome = zol2l(command, *given)
        assert outcome.status == 0, outcome.err
    folder = tmp_path / "outputs/digits_small_convnet-smoke"
    kept = [p for p in folder.rglob("*") if p.suffix in (".safetensors", ".parquet")]
    made = {p: p.stat().st_mtime_ns for p in kept if "results" not in p.name}
    assert len(made) == 2 + 3 + 3
    for command in commands:
        assert zol2l(command, *given).status == 0
    assert {p: p.stat().st_mtime_ns for p in made} == made
    used = [Path(name).name for name in read_json(folder / "made_of.json")["used"]]
    assert sorted(used) == ["classifier.safetensors", "maximizer.safetensors"]
    for setting, was in (("defense.maximizer.scale=0.2", 0.5), ("recipe.optimizer.lr=0.2", 0.1)):
        other = zol2l("adv-evaluate", *given, setting)
        told = f"{setting.replace('defense.', 'rnn_adv.')}: {was}, as rnn_adv was trained"
        assert other.status == 2 and told in other.err
    assert zol2l("adv-evaluate", *given, "recipe.eps=0.1").status == 0
    assert len(list((folder / "parts").glob("*.parquet"))) == 2 * (3 + 3)
    kept = {name: (folder / name).read_bytes() for name in ("made_of.json", "adv-evaluate.json")}
    landscape = ("analysis=landscape", "analysis.points=2", "analysis.images=2")
    assert zol2l("adv-evaluate", *given, *landscape).status == 0
    assert all((folder / name).read_bytes() == content for name, content in kept.items())
    assert read_json(folder / "adv-evaluate-analysis.json")["config"]["recipe"]["eps"] == 0.2


def test_a_trained_classifier_and_its_attacker_can_be_started_from(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    assert zol2l("adv-train", "defense=rnn_adv", *QUICK).status == 0
    first = tmp_path / "outputs/digits_small_convnet-smoke/defenses/rnn_adv/seed0"
    start = [f"defense.start.{p}={first}/{p}.safetensors" for p in ("classifier", "maximizer")]
    weights = {}
    for rate in ("0", "0.01"):
        name = f"attacker{rate}"
        given = ("defense=rnn_adv", "defense.frozen=true", f"defense.learner.lr={rate}", *start)
        outcome = zol2l("adv-train", *given, f"run_name={name}", *QUICK)
        assert outcome.status == 0, outcome.err
        folder = tmp_path / f"outputs/{name}-smoke/defenses/rnn_adv/seed0"
        for player in ("classifier", "maximizer"):
            weights[player, rate] = read_signed(folder / f"{player}.safetensors")[0]
    for player in ("classifier", "maximizer"):
        before = read_signed(first / f"{player}.safetensors")[0]
        for rate in ("0", "0.01"):
            same = all(torch.equal(weights[player, rate][name], before[name]) for name in before)
            assert same == (player == "classifier" or rate == "0")


@pytest.mark.slow
def test_every_defense_at_smoke_is_more_robust_than_plain_training(
    zol2l: Zol2l, tmp_path: Path
) -> None:
    given = (*QUIET, "recipe.generator_width=2", "~attackers.cw100", "~attackers.pgd100")
    for command in ("adv-train", "adv-evaluate"):
        bls = ("+defense@defenses.advtrain_bls=advtrain_bls", "robustness.images=200")
        outcome = zol2l(command, *given, *bls)
        assert outcome.status == 0, outcome.err
    table = pd.read_csv(tmp_path / "outputs/digits_small_convnet-smoke/accuracies.csv")
    known = table.set_index("method")["min"]
    assert set(known.index) == {*DEFENSES, "advtrain_bls"}
    assert (known.drop("plain") > known["plain"] + 0.1).all(), known


def test_restricted_imagenet_trains_with_batch_norm_at_work(zol2l: Zol2l, tmp_path: Path) -> None:
    for split in ("train", "val"):
        for number in (151, 281, 30, 33, 80, 365, 389, 118, 300):
            for i in range(2):
                picture = torch.randint(256, (3, 32, 32), dtype=torch.uint8)
                write(tmp_path / f"imagenet/{split}/{number}/{i}.png", picture)
    fewer = [f"~defenses.{name}" for name in ("plain", "advtrain", "trades", "l2lda", "rnn_trades")]
    outcome = zol2l(
        "reproduce", "experiment=adv_restricted_imagenet", *QUIET, *fewer, "~attackers.l2lda",
        f"data.folder={tmp_path}/imagenet", "data.size=32", "data.resize=32", "recipe.steps=1",
        *SHORT,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    folder = tmp_path / "outputs/adv_restricted_imagenet-smoke"
    weights, _ = read_signed(folder / "defenses/rnn_adv/seed0/classifier.safetensors")
    assert int(weights["1.bn1.num_batches_tracked"]) == 4
    assert weights["1.bn1.running_mean"].abs().max() > 0
    assert len(pd.read_csv(folder / "accuracies.csv")) == 1


def test_seeds_start_from_other_weights(composed: Callable[..., DictConfig]) -> None:
    images = torch.rand(2, 3, 32, 32)
    labels = torch.arange(2)
    data = ImageData(images, labels, images, labels)
    config = composed("network=restricted_imagenet")
    first = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        first.append(build_classifier(config, data)[1].conv1.weight)
    assert torch.equal(first[0], first[1]) and not torch.equal(first[0], first[2])


def test_an_attackers_random_numbers_are_not_the_processs() -> None:
    attack = OmegaConf.create({"_target_": "zol2l.maximizers.auto_attack.AutoAttack"})
    assert shaped_by(attack, digits()) == {"classes": 10}


@pytest.mark.parametrize("scale", ["smoke", "cpu", "paper"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_composes_at_every_scale(
    composed: Callable[..., DictConfig], name: str, scale: str
) -> None:
    assert primary_config("reproduce", [f"experiment={name}"]) == "robust"
    config = composed(f"experiment={name}", f"scale={scale}")
    assert config.experiment_name == name
    for part in ("recipe", "network", "threat", "defenses", "attackers", "robustness"):
        assert plain(config[part])


def test_every_table_and_figure_of_rnn_adv_has_its_experiment() -> None:
    wanted = [
        "table1", "table2", "table3", "table4", "table5", "table6", "table7", "fig2", "fig3",
        "restricted_imagenet",
    ]  # fmt: skip
    for part in wanted:
        assert [name for name in EXPERIMENTS if name.startswith(f"adv_{part}")], part


@pytest.mark.parametrize(
    ("network", "weights"),
    [("mnist", 312_202), ("digits", 38_282), ("resnet18", 11_172_810), ("vgg16", 14_727_114)],
)
def test_networks_take_the_shape_of_the_data(
    composed: Callable[..., DictConfig], network: str, weights: int
) -> None:
    config = composed(f"network={network}").network.network
    data = digits()
    if network == "mnist":
        images = torch.rand(2, 1, 28, 28)
        data = replace(data, train_images=images, test_images=images)
    built = build(config, **shaped_by(config, data))
    assert built(data.test_images[:2]).shape == (2, 10)
    assert parameter_count(built) == weights

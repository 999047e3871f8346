"""The offline Weights & Biases runs of a whole chain, read back with the wandb package."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.commands.conftest import Zol2l
from tests.wandb_reader import OfflineRun, read_run
from zol2l.reporting.tracking import artifact, use_artifacts


@pytest.fixture
def runs(zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, OfflineRun]:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))  # no key
    outcome = zol2l("reproduce", "experiment=quickstart", "scale=smoke", "logger=default")
    assert outcome.status == 0, outcome.err
    assert "anonymous" not in outcome.out + outcome.err
    found = [read_run(path) for path in tmp_path.rglob("offline-run-*/*.wandb")]
    assert sorted(path.name for path in tmp_path.rglob("events.out.tfevents*"))
    assert sorted(path.name for path in tmp_path.rglob("metrics.csv"))
    return {run.job_type: run for run in found}


def assert_lineage(runs: dict[str, OfflineRun]) -> None:
    """An offline run cannot name what it uses as W&B does: its configuration does, by digest."""
    ((victim, digest),) = runs["meta-train-update"].config["uses"].items()
    (file,) = Path(os.environ["ZOL2L_DATA_DIR"]).glob(f"victims/{victim}.safetensors")
    assert (artifact(file).type, artifact(file).digest) == ("victim", digest)
    update, sampling = (
        runs[f"meta-train-{part}"].made[f"quickstart-smoke-zo_lstm-{part}-weights"]
        for part in ("update", "sampling")
    )
    assert update[0] == sampling[0] == "optimizer"
    used = {victim: digest}
    used["quickstart-smoke-zo_lstm-update-weights"] = update[1]
    assert runs["meta-train-sampling"].config["uses"] == used
    used["quickstart-smoke-zo_lstm-sampling-weights"] = sampling[1]
    assert runs["evaluate"].config["uses"] == used
    assert runs["evaluate"].made["quickstart-smoke-results"][0] == "results"


def test_offline_runs_hold_config_curves_and_images(
    runs: dict[str, OfflineRun], tmp_path: Path
) -> None:
    assert set(runs) >= {"meta-train-update", "meta-train-sampling", "evaluate"}
    assert {run.group for run in runs.values()} == {"quickstart"}
    assert all(run.finished for run in runs.values())
    for stage in ("meta-train-update", "meta-train-sampling"):
        assert len(runs[stage].series("meta/loss")) == 3
        assert len(runs[stage].series("val/final_loss")) == 2  # after 2 and 3 meta-steps
        assert runs[stage].axes["val/*"] == "trainer/global_step"
        assert runs[stage].config["meta_training"]["regularization"] == 0.005
    evaluation = runs["evaluate"]
    assert evaluation.config["optimizee"]["name"] == "digits_attack"
    assert evaluation.axes["zo_lstm/*"] == "zo_lstm/queries"
    assert [value for _, value in evaluation.series("zo_lstm/queries")] == [1, 22, 43, 64, 85]
    assert len(evaluation.series("zo_adam/loss")) == 5
    ((_, rows),) = evaluation.series("summary/nrows")
    assert rows == 4
    for figure in ("loss_vs_queries", "adversarial_images_0"):
        ((_, path),) = evaluation.series(f"figures/{figure}/path")
        assert len(list(tmp_path.rglob(f"offline-run-*/files/{path}"))) == 1
    assert_lineage(runs)


def test_long_names_of_artifacts_stay_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = []
    for seed in (0, 1):
        file = tmp_path / "multirun" / f"{'setting=value,' * 12}seed={seed}" / "results.parquet"
        file.parent.mkdir(parents=True)
        file.write_text("results")
        names.append(artifact(file).name)
    assert len(set(names)) == 2 and max(map(len, names)) <= 128


def test_online_runs_use_the_artifacts_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zol2l.reporting.tracking.wandb_mode", lambda: "online")
    file = tmp_path / "victims" / "digits-1.safetensors"
    file.parent.mkdir()
    file.write_text("weights")
    run = Mock()
    use_artifacts(run, [file, file])
    (used,) = (call.args[0] for call in run.use_artifact.call_args_list)
    assert (used.name, used.type) == ("digits-1", "victim")
    run.config.update.assert_called_once_with({"uses": {"digits-1": used.digest}})


def test_jobs_of_a_sweep_share_a_tag_and_an_entry(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))
    given = ("optimizee=quadratic", "scale=smoke", "logger=default", "logger.tags=[mine]")
    assert zol2l("evaluate", "-m", *given, "baseline=zo_sgd,zo_adam").status == 0
    found = [read_run(path) for path in tmp_path.rglob("offline-run-*/*.wandb")]
    assert len(found) == 2
    (tags,), (sweep,) = {run.tags for run in found}, {run.config["sweep"] for run in found}
    assert set(tags) == {"mine", f"sweep-{sweep}"}


def test_adversarial_training_is_shown_by_epochs_and_its_tables_are_kept(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))
    given = (
        "defense=rnn_adv", "scale=smoke", "~attackers.l2lda", "recipe.train=60",
        "recipe.training.epochs=1", "recipe.training.batch_size=20",
    )  # fmt: skip
    for command in ("adv-train", "adv-evaluate"):
        outcome = zol2l(command, *given)
        assert outcome.status == 0, outcome.err
    found = [read_run(path) for path in tmp_path.rglob("offline-run-*/*.wandb")]
    runs = {run.job_type: run for run in found}
    training, testing = runs["adv-train"], runs["adv-evaluate"]
    assert {run.group for run in found} == {"digits_small_convnet"}
    assert training.axes["adv/*"] == training.axes["val/*"] == "adv/epoch"
    assert training.series("adv/loss") and training.series("adv/rise")
    assert len(training.series("val/pgd10")) == 1
    assert training.config["defense"]["name"] == "rnn_adv"
    for table, rows in (("accuracies", 7), ("gradient_checks", 1)):
        ((_, count),) = testing.series(f"{table}/nrows")
        assert count == rows
    assert testing.series("figures/robust_accuracy/path")
    landscape = ("analysis=landscape", "analysis.images=2", "analysis.points=2")
    trained = [option for option in given if option != "~attackers.l2lda"]
    outcome = zol2l("adv-evaluate", *trained, *landscape)
    assert outcome.status == 0, "l2lda's attacker, which nobody has trained, is not looked at"

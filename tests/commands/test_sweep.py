"""Sweeps: jobs that fail are reported and the rest finish; what is done is not done again."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hydra.core.plugins import Plugins

from tests.commands.conftest import Outcome, Zol2l
from zol2l.commands.sweep import SweepTable, ended_since, keep_to_cores, run_job
from zol2l.storage.json_files import write_json
from zol2l.storage.made_of import record_of

SWEEP = Path("outputs/quadratic-smoke/multirun")


def sweep(zol2l: Zol2l, *arguments: str) -> Outcome:
    given = ("optimizee=quadratic", "scale=smoke", "logger=csv", "baseline=zo_sgd,zo_adam")
    return zol2l("evaluate", "-m", *given, *arguments)


def statuses() -> list[str]:
    return [json.loads(path.read_text())["status"] for path in SWEEP.rglob("job.json")]


def test_a_job_that_fails_is_named_and_the_rest_finish(zol2l: Zol2l) -> None:
    outcome = sweep(zol2l, "evaluation.trials=0,1")
    assert outcome.status == 1
    assert "4 jobs: 2 done, 0 done before, 2 failed" in outcome.out
    assert "HYDRA" not in outcome.out  # its log format
    table = outcome.out[outcome.out.index("4 jobs:") :]
    rows = [
        [c.strip() for c in line.split("│")[1:-1]] for line in table.splitlines() if "│" in line
    ]
    assert "final loss" in table and f"folders in {SWEEP}" in table
    for method in ("zo_sgd", "zo_adam"):
        (row,) = (row for row in rows if row[0] == f"baseline={method},evaluation.trials=1")
        assert row[1] == "done" and row[3] == method and float(row[-2]) > 0
    for method in ("zo_sgd", "zo_adam"):
        name = f"baseline={method},evaluation.trials=0"
        (record,) = SWEEP.glob(f"{name},*/job.json")
        told = f"Failed: {name}: evaluation.trials=0: at least 1 ({record})"
        assert told in outcome.out.replace("\n", "")
        assert "Traceback" in json.loads(record.read_text())["traceback"]
        (done,) = SWEEP.glob(f"baseline={method},evaluation.trials=1,*/results.parquet")
        assert len(pd.read_parquet(done))


def test_optimizees_in_one_run_folder_keep_apart(zol2l: Zol2l) -> None:
    given = ("scale=smoke", "logger=csv", "baseline=zo_sgd", "evaluation.steps=2", "run_name=one")
    outcome = zol2l("evaluate", "-m", *given, "optimizee=quadratic,binary_classification")
    assert outcome.status == 0, outcome.err
    assert len(list(Path("outputs/one-smoke/multirun").glob("*/results.parquet"))) == 2
    for name in ("quadratic", "binary_classification"):
        assert f" optimizee={name} " in outcome.out


def test_the_table_names_what_differs_and_folders_are_not_too_long(zol2l: Zol2l) -> None:
    sizes = ("train", "validation", "test", "window", "batch_size", "update_steps", "trials")
    outcome = sweep(zol2l, *(f"sizes.paper.{name}=1000000" for name in sizes))
    assert outcome.status == 0, outcome.err
    assert " baseline=zo_sgd " in outcome.out and " baseline=zo_adam " in outcome.out
    folders = [path.parent.name for path in SWEEP.glob("*/results.parquet")]
    assert len(folders) == 2 and max(map(len, folders)) <= 200


def test_results_that_no_longer_stand_are_made_anew(zol2l: Zol2l) -> None:
    """What was tuned since, and results that are gone: not what other jobs share with these."""
    assert sweep(zol2l, "evaluation.seed=0,1").status == 0
    (gone,) = SWEEP.glob("baseline=zo_adam,evaluation.seed=1,*/results.parquet")
    gone.unlink()
    given = ("optimizee=quadratic", "scale=smoke", "logger=csv", "baseline=zo_sgd")
    assert zol2l("tune", *given).status == 0
    outcome = sweep(zol2l, "evaluation.seed=0,1")
    assert outcome.status == 0 and "3 done, 1 done before, 0 failed" in outcome.out
    assert len(list(SWEEP.glob("*/results.parquet"))) == 4


def test_a_job_that_ends_its_process_is_named(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "ends.py").write_text("import sys\ndef f(x):\n    sys.exit(3)\n")
    function = ("optimizee=function", "optimizee.family.function=ends.f", "logger=csv")
    outcome = zol2l("evaluate", "-m", *function, "scale=smoke", "baseline=zo_sgd", "seed=0,1")
    title = "2 jobs: 0 done, 0 done before, 2 failed"
    assert outcome.status == 1 and title in " ".join(outcome.out.split())


def test_what_is_left_of_a_killed_job_says_so(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    with pytest.raises(Killed):
        run_job(tmp_path, "evaluate", ["a"], dict, killed, str)
    record = json.loads((tmp_path / "job.json").read_text())
    assert record["status"] == "failed" and "ended without a word" in record["error"]


def test_a_launcher_that_gives_up_ends_with_the_table(
    zol2l: Zol2l, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch(self: object, *_: object, **__: object) -> None:
        raise RuntimeError("a worker died")

    Plugins.instance()  # it imports the module anew when it first looks
    sweeper = import_module("hydra._internal.core_plugins.basic_sweeper")
    monkeypatch.setattr(sweeper.BasicSweeper, "sweep", launch)
    outcome = sweep(zol2l)
    assert outcome.status == 1 and "0 jobs" in outcome.out
    assert "The launcher stopped, RuntimeError" in outcome.out


def test_values_that_are_paths_stay_in_the_run_folder(zol2l: Zol2l) -> None:
    notes = f"logger.project=../../../../out/x,/abs/y,a b,'{'é' * 150}'"
    outcome = sweep(zol2l, notes, "baseline=zo_sgd", "evaluation.steps=2")
    assert outcome.status == 0 and "4 jobs: 4 done" in outcome.out
    assert len(list(SWEEP.glob("*/results.parquet"))) == 4


def test_records_that_are_no_json_do_not_hide_failures(zol2l: Zol2l) -> None:
    broken = Path("outputs/old/multirun/a/job.json")
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    outcome = sweep(zol2l, "evaluation.steps=2,-1")
    assert outcome.status == 1 and "2 failed" in outcome.out


@pytest.mark.parametrize("name", ["evaluate.json", "made_of.json"])
def test_a_job_with_a_damaged_record_is_done_again(zol2l: Zol2l, name: str) -> None:
    assert sweep(zol2l, "evaluation.steps=2").status == 0
    damaged = next(SWEEP.glob(f"*/{name}"))
    damaged.write_text("[]")
    outcome = sweep(zol2l, "evaluation.steps=2")
    assert outcome.status == 0 and "1 done, 1 done before, 0 failed" in outcome.out
    assert f"{damaged} is no record of zol2l" in outcome.out.replace("\n", "")
    assert isinstance(json.loads(damaged.read_text()), dict)


def test_what_is_done_is_not_done_again(zol2l: Zol2l) -> None:
    assert sweep(zol2l, "evaluation.seed=0").status == 0
    made = {p: p.stat().st_mtime_ns for p in SWEEP.rglob("results.parquet")}
    outcome = sweep(zol2l, "evaluation.seed=0,1")
    assert outcome.status == 0 and "2 done, 2 done before, 0 failed" in outcome.out
    assert {p: p.stat().st_mtime_ns for p in made} == made
    assert len(list(SWEEP.rglob("results.parquet"))) == 4


@pytest.mark.parametrize("analysis", [None, {"points": 2}])
@pytest.mark.parametrize("command", ["adv-evaluate", "analyze"])
def test_a_job_with_other_settings_is_done_anew(
    tmp_path: Path, command: str, analysis: dict[str, int] | None
) -> None:
    done: list[int] = []
    for rate in (1, 1, 2):
        config = {"rate": rate, "analysis": analysis}

        def work(config: dict[str, Any] = config) -> None:
            done.append(config["rate"])
            write_json(tmp_path / record_of(command, config), {"config": config})

        run_job(tmp_path, command, ["a"], lambda config=config: config, work, str)
    assert done == [1, 2]


@pytest.mark.parametrize("launcher", ["local", pytest.param("submitit", marks=pytest.mark.slow)])
def test_launchers_give_the_numbers_of_one_job_after_another(
    zol2l: Zol2l, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: str
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    frames = {}
    for name, more in {"one": (), launcher: (f"sweep={launcher}",)}.items():
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        outcome = sweep(zol2l, "evaluation.seed=0,1", *more)
        assert outcome.status == 0, outcome.err + outcome.out
        assert statuses() == ["done"] * 4
        paths = sorted(SWEEP.rglob("results.parquet"))
        frames[name] = pd.concat([pd.read_parquet(p) for p in paths if "parts" not in p.parts])
    pd.testing.assert_frame_equal(*frames.values())


def test_jobs_of_all_run_folders_are_in_the_table(zol2l: Zol2l) -> None:
    outcome = sweep(zol2l, "evaluation.trials=1,0", "run_name=trials-${evaluation.trials}")
    assert outcome.status == 1
    assert "4 jobs: 2 done, 0 done before, 2 failed" in outcome.out


def test_how_jobs_are_launched_is_not_in_their_names(zol2l: Zol2l) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    assert sweep(zol2l, "sweep=local", "hydra.launcher.n_jobs=1").status == 0
    outcome = sweep(zol2l)
    assert outcome.status == 0 and "0 done, 2 done before" in outcome.out


def test_a_job_keeps_to_the_cores_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", taken.append)
    keep_to_cores({"cpus_per_task": 3})
    keep_to_cores({"n_jobs": -1})
    assert taken == [3]


def test_a_configuration_is_shown_for_one_job_alone(zol2l: Zol2l) -> None:
    outcome = sweep(zol2l, "--cfg", "job")
    assert outcome.status == 2 and "leave -m out" in outcome.err


def test_only_jobs_of_this_sweep_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = tmp_path / "run" / "multirun"
    run_job(jobs / "a", "evaluate", ["a"], dict, lambda: None, str)
    table = SweepTable()
    assert ended_since(tmp_path, table.began) == []
    run_job(jobs / "b", "evaluate", ["b"], dict, lambda: 1 / 0, str)  # type: ignore[arg-type,return-value]
    monkeypatch.setenv("ZOL2L_SWEEP", "another")
    run_job(jobs / "c", "evaluate", ["c"], dict, lambda: None, str)
    monkeypatch.undo()
    (record,) = ended_since(tmp_path, table.began)
    assert record["settings"] == ["b"] and record["error"] == "division by zero"
    table.on_job_start(config=None)
    with pytest.raises(AttributeError):
        table.something  # noqa: B018


@pytest.mark.skipif(find_spec("hydra_plugins.hydra_ray_launcher") is not None, reason="has Ray")
def test_a_launcher_that_is_not_installed_is_named_with_its_remedy(zol2l: Zol2l) -> None:
    outcome = zol2l("evaluate", "optimizee=quadratic", "baseline=zo_sgd", "sweep=ray")
    assert outcome.status == 2
    assert "hydra/launcher/ray" in outcome.err and '".[ray]"' in outcome.err

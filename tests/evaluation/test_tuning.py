"""The search: rates, multiples of the best, choices of the rest; every trial once."""

from __future__ import annotations

import math
from contextlib import nullcontext
from logging import WARNING
from pathlib import Path

import optuna
import pytest

from zol2l.errors import Diverged
from zol2l.evaluation.trials import Settings, Trials
from zol2l.evaluation.tuning import Report, Trial, Tuned, TuningGrid, tune

START = {"rate": 3.0, "beta": 0.9}
GRID = TuningGrid([0.01, 0.1, 1, 10], [0.5, 2], {"beta": [0.9, 0.99]})


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def minimum_at(rate: float, tried: list[Settings]) -> Trial:
    """A problem whose best rate is `rate`, and its best beta 0.99."""

    def value(settings: Settings, report: Report, running: Path) -> float:
        tried.append(settings)
        return abs(math.log(settings["rate"] / rate)) - settings.get("beta", 0)

    return value


def searched(folder: Path, rate: float, tried: list[Settings]) -> Tuned:
    return tune(minimum_at(rate, tried), START, GRID, 1, folder / "trials.json")


def test_rates_then_multiples_of_the_best_then_the_rest(tmp_path: Path) -> None:
    tried: list[Settings] = []
    tuned = searched(tmp_path, 0.2, tried)
    assert [settings["rate"] for settings in tried] == [0.01, 0.1, 1, 10, 0.05, 0.2, 0.2]
    assert tuned.settings == {"rate": 0.2, "beta": 0.99}
    assert tuned.value == pytest.approx(-0.99)
    assert len(tuned.trials) == len(tried)


@pytest.mark.parametrize(
    ("start", "grid", "trials"),
    [
        (START, GRID, 7),  # 4 rates, 2 multiples, the other of two betas
        ({"rate": 1.0}, GRID, 6),
        ({"rate": 1.0}, TuningGrid([1, 10, 10], [0.1, 1, 2, 2], {}), 3),  # 0.1 x 10 was tried
        ({"beta": 0.9}, GRID, 2),
    ],
)
def test_progress_counts_the_trials_that_are_run(
    tmp_path: Path, start: Settings, grid: TuningGrid, trials: int
) -> None:
    told, tried = [], []

    def value(settings: Settings, report: Report, running: Path) -> float:
        tried.append(settings)
        return -settings.get("rate", settings.get("beta", 0))

    tune(value, start, grid, 1, tmp_path / "trials.log", lambda *progress: told.append(progress))
    assert len(tried) == trials
    assert [done for done, _ in told] == list(range(1, trials + 1))
    assert told[-1] == (trials, trials)


def test_multiples_are_as_they_are_typed(tmp_path: Path) -> None:
    tried: list[Settings] = []
    grid = TuningGrid([0.1], [0.2, 0.7, 3], {})
    tune(minimum_at(0.02, tried), {"rate": 1.0}, grid, 1, tmp_path / "trials.log")
    assert [f"{settings['rate']}" for settings in tried] == ["0.1", "0.02", "0.07", "0.3"]


class KilledError(BaseException):
    """Nothing after it runs."""


@pytest.mark.parametrize("trials", range(8))
def test_a_killed_search_goes_on_with_the_trials_it_has(tmp_path: Path, trials: int) -> None:
    whole: list[Settings] = []
    wanted = searched(tmp_path / "whole", 0.2, whole)
    made: list[Settings] = []

    def dies(settings: Settings, report: Report, running: Path) -> float:
        if len(made) == trials:
            raise KilledError
        return minimum_at(0.2, made)(settings, report, running)

    killed = tmp_path / "killed" / "trials.json"
    with pytest.raises(KilledError) if trials < len(whole) else nullcontext():
        tune(dies, START, GRID, 1, killed)
    assert searched(killed.parent, 0.2, made) == wanted
    assert made == whole


@pytest.mark.parametrize(
    ("rate", "told"),
    [(0.2, None), (1e-4, "the best rate, 0.005, is the smallest"), (1e3, "rate, 20, is the larg")],
)
def test_a_best_rate_at_an_end_of_the_range_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rate: float, told: str | None
) -> None:
    searched(tmp_path, rate, [])
    warned = [record.getMessage() for record in caplog.records if record.levelno == WARNING]
    assert len(warned) == (told is not None)
    assert told is None or told in warned[0]


def test_a_trial_in_the_worse_half_is_pruned(tmp_path: Path) -> None:
    def value(settings: Settings, report: Report, running: Path) -> float:
        report(1, settings["rate"])
        return settings["rate"]

    tuned = tune(
        value, {"rate": 1.0}, TuningGrid([1, 2, 3, 4], [], {}), 1, tmp_path / "trials.json"
    )
    assert [trial["state"] for trial in tuned.trials] == ["complete"] * 3 + ["pruned"]
    assert tuned.settings == {"rate": 1}


WARMUP, STEPS = 5, 40
CURVES = {1.0: 0.0, 2.0: 0.1, 3.0: 0.2, 4.0: -0.3, 5.0: 0.15, 6.0: 0.05}


def reporting(settings: Settings, report: Report, running: Path) -> float:
    """Most reports fall; that of rate 4 is at its best before the pruner looks."""
    level = CURVES[settings["rate"]]
    for step in range(1, STEPS + 1):
        early = level if step == 1 or level > 0 else 1.0
        report(step, early + 1 / step)
    return level


@pytest.mark.parametrize("kill_at", [None, 3, 4, 5])
def test_what_is_kept_of_a_trial_is_all_that_the_pruner_asks_for(
    tmp_path: Path, kill_at: int | None
) -> None:
    """A search that goes on after a kill prunes as Optuna does, told of every step of all trials:
    the file has a few lines a trial, however many steps there are.
    """
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(3, WARMUP - 1))
    wanted = []
    for rate in CURVES:
        trial = study.ask()

        def report(step: int, value: float, trial: optuna.Trial = trial) -> None:
            trial.report(value, step)
            if step == WARMUP and trial.should_prune():
                raise optuna.TrialPruned

        try:
            value = reporting({"rate": rate}, report, tmp_path)
        except optuna.TrialPruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            wanted.append("pruned")
        else:
            study.tell(trial, value)
            wanted.append("complete")
    assert {"pruned", "complete"} == set(wanted[3:])
    grid, path = TuningGrid(list(CURVES), [], {}), tmp_path / "trials.json"

    def dies(settings: Settings, report: Report, running: Path) -> float:
        if settings["rate"] == kill_at:
            raise KilledError
        return reporting(settings, report, running)

    if kill_at is not None:
        with pytest.raises(KilledError):
            tune(dies, {"rate": 1.0}, grid, WARMUP, path)
    tuned = tune(reporting, {"rate": 1.0}, grid, WARMUP, path)
    assert [trial["state"] for trial in tuned.trials] == wanted
    assert len(path.read_text().splitlines()) <= 10 * len(CURVES)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"trials": [{"settings": {}}]}'])
def test_a_search_begins_anew_where_its_trials_are_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    whole: list[Settings] = []
    wanted = searched(tmp_path, 0.2, whole)
    (tmp_path / "trials.json").write_text(content)
    again: list[Settings] = []
    assert searched(tmp_path, 0.2, again) == wanted
    assert again == whole
    assert "trials.json" in caplog.text
    assert (tmp_path / "trials.json.damaged").read_text() == content


def test_trials_that_are_infinite_come_back_as_they_were(tmp_path: Path) -> None:
    trials = Trials(tmp_path / "trials.json", 1)
    trials.end(trials.begin({"rate": 1e30}), math.inf)
    trials.end(trials.begin({"rate": 2.0}), None)
    again = Trials(tmp_path / "trials.json", 1)
    assert [trial.state for trial in again.finished] == [trial.state for trial in trials.finished]
    assert again.finished[0].value == math.inf


def test_a_search_in_which_all_breaks_says_what_it_tried_and_keeps_nothing(tmp_path: Path) -> None:
    grid, path = TuningGrid([1e29, 1e30], [2], {}), tmp_path / "trials.json"
    told = r"tuning\.rates=rate 1e\+29, rate 1e\+30, rate 2e\+29: each breaks zo_sgd"
    with pytest.raises(Diverged, match=told):
        tune(lambda *_: math.nan, {"rate": 1.0}, grid, 1, path, name="zo_sgd")
    assert list(tmp_path.iterdir()) == []

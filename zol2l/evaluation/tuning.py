"""Tune a hand-designed optimizer as ZO-L2L section 4 does, on validation instances, by Optuna."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from zol2l.errors import require
from zol2l.evaluation.results import trial_rows
from zol2l.evaluation.statistics import trajectory_statistics
from zol2l.optimizees import OptimizeeFamily
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle
from zol2l.run import run
from zol2l.trajectory import Recorder

log = logging.getLogger(__name__)

Settings = dict[str, float]
Round = Callable[[Settings], list[Settings]]
TUNING_SEED = 7
OBJECTIVES = ("meta_loss", "final_loss")
STEP_SIZES = ("rate", "scale")
"""Settings searched over orders of magnitude: learning rates and alpha of section 4.3."""


@dataclass(frozen=True)
class TuningGrid:
    """Step sizes (STEP_SIZES) on a logarithmic range, `rates`, then `linear` multiples of the best,
    then `choices` of all else.

    Trials are compared by `objective`, a figure of `trajectory_statistics`. With `final_loss` the
    search finds the rates of the authors' release on MNIST (SGD 4, ADAM 8), which says what the
    paper tuned for; `meta_loss` is the objective that learned optimizers are trained on.
    """

    rates: Sequence[float]
    linear: Sequence[float]
    choices: Mapping[str, Sequence[float]]
    objective: str = "final_loss"

    def __post_init__(self) -> None:
        known = self.objective in OBJECTIVES
        require(known, "tuning.objective", self.objective, f"one of {', '.join(OBJECTIVES)}")
        require(len(self.rates) > 0, "tuning.rates", self.rates, "at least one rate")
        positive = all(x > 0 for x in (*self.rates, *self.linear))
        require(positive, "tuning.{rates,linear}", (self.rates, self.linear), "positive numbers")

    def rounds(self, names: Sequence[str]) -> list[Round]:
        """What to try, round by round, given the best settings so far."""
        size = next((name for name in names if name in STEP_SIZES), None)
        chosen = [name for name in names if name != size]
        for name in chosen:
            require(name in self.choices, "tuning.choices", name, "give its values to choose from")
        grids = [self.choices[name] for name in chosen]
        sizes: list[Round] = []
        if size is not None:
            sizes = [
                lambda best: [{**best, size: rate} for rate in self.rates],
                lambda best: [{**best, size: best[size] * x} for x in self.linear],
            ]
        return [
            *sizes,
            lambda best: [{**best, **dict(zip(chosen, x, strict=True))} for x in product(*grids)],
        ]


@dataclass(frozen=True)
class Tuned:
    """The best settings, their objective, and every trial (settings, state, value)."""

    settings: Settings
    value: float
    trials: list[dict[str, Any]]


def tune(
    build: Callable[[Settings], Optimizer],
    start: Settings,
    grid: TuningGrid,
    family: OptimizeeFamily,
    steps: int,
    journal: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tuned:
    """Search `grid` from the settings `start` and keep every trial in `journal`, to resume from.

    A trial runs the optimizer on all validation instances; one that is in the worse half of the
    earlier trials halfway through is pruned.
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="tuning",
        storage=JournalStorage(JournalFileBackend(str(journal))),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=steps // 2),
        load_if_exists=True,
    )
    best, done = start, 0
    rounds = grid.rounds(list(start))
    total = sum(len(make(start)) for make in rounds)
    for make in rounds:
        candidates = make(best)
        for settings in candidates:
            if not _tried(study, settings):
                _trial(study, settings, build(settings), family, steps, grid.objective)
            done += 1
            progress(done, total)
        best = dict(study.best_trial.user_attrs["settings"])
    trials = [
        {**t.user_attrs["settings"], "state": t.state.name.lower(), "value": t.value}
        for t in study.trials
        if t.state.is_finished()
    ]
    return Tuned(best, float(study.best_trial.value or 0.0), trials)


def _trial(
    study: optuna.Study,
    settings: Settings,
    optimizer: Optimizer,
    family: OptimizeeFamily,
    steps: int,
    objective: str,
) -> None:
    trial = study.ask()
    trial.set_user_attr("settings", settings)
    oracle = Oracle(family.optimizee("validation", trial_rows(family.sizes["validation"], 1)))
    recorder = Recorder()

    def report(step: int) -> None:
        trial.report(float(recorder.columns[-1].loss.nan_to_num(torch.inf).mean()), step)
        if step == steps // 2 + 1 and trial.should_prune():
            raise optuna.TrialPruned

    generator = torch.Generator().manual_seed(TUNING_SEED)
    try:
        trajectory = run(optimizer, oracle, steps, generator, recorder=recorder, progress=report)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        log.info("tuning %s: pruned", settings)
        return
    value = float(trajectory_statistics(trajectory)[objective])
    failed = bool(oracle.failed.any()) or value != value  # noqa: PLR0124
    study.tell(trial, float("inf") if failed else value)
    log.info("tuning %s: %s %.4g", settings, objective, value)


def _tried(study: optuna.Study, settings: Settings) -> bool:
    finished = (t for t in study.trials if t.state.is_finished())
    return any(t.user_attrs.get("settings") == settings for t in finished)

"""Tune a hand-designed optimizer as ZO-L2L section 4 does, on validation instances, by Optuna."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.trial import FrozenTrial, TrialState

from zol2l.errors import Diverged, require
from zol2l.evaluation.results import trial_rows
from zol2l.evaluation.statistics import trajectory_statistics
from zol2l.evaluation.trials import Settings, Trials, settings_of
from zol2l.optimizees import OptimizeeFamily
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle
from zol2l.run import RunCheckpoint, run
from zol2l.storage.fingerprints import fingerprint
from zol2l.trajectory import Recorder

log = logging.getLogger(__name__)

Round = Callable[[Settings], list[Settings]]
Report = Callable[[int, float], None]
"""Told what a trial is worth so far, at a step; raises `optuna.TrialPruned` to end it."""
Trial = Callable[[Settings, Report, Path], float]
"""What some settings are worth; smaller is better. It may keep a checkpoint at the path."""
TUNING_SEED = 7
OBJECTIVES = ("meta_loss", "final_loss")
DIGITS = 12
"""Significant digits of a multiple of a step size."""
TOLD = 8
"""Of the settings that were tried in vain a message tells so many."""
STEP_SIZES = ("rate", "scale", "step")
"""Settings searched over orders of magnitude: learning rates, alpha of section 4.3 and an attack's
steps, under these names or at the end of a dotted one."""


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
        require(known, "objective", self.objective, f"one of {', '.join(OBJECTIVES)}")
        require(len(self.rates) > 0, "rates", self.rates, "at least one rate")
        for name, values in (("rates", self.rates), ("linear", self.linear)):
            require(all(value > 0 for value in values), name, values, "positive numbers")

    def over(self, name: str, values: Sequence[float]) -> TuningGrid:
        """The grid that begins with `values` for the setting `name`, a step size, or has just these
        to choose from.
        """
        if _last(name) in STEP_SIZES:
            return replace(self, rates=values)
        return replace(self, choices={_last(name): values})

    def rounds(self, names: Sequence[str]) -> list[Round]:
        """What to try, round by round, given the best settings so far."""
        size = next((name for name in names if _last(name) in STEP_SIZES), None)
        chosen = [name for name in names if name != size]
        for name in map(_last, chosen):
            require(name in self.choices, "choices", name, "give its values to choose from")
        grids = [self.choices[_last(name)] for name in chosen]
        sizes: list[Round] = []
        if size is not None:
            sizes = [
                lambda best: [{**best, size: rate} for rate in self.rates],
                lambda best: [{**best, size: rounded(best[size] * x)} for x in self.linear],
            ]
        choices: list[Round] = [
            lambda best: [{**best, **dict(zip(chosen, x, strict=True))} for x in product(*grids)]
        ]
        return [*sizes, *(choices if chosen else [])]


def rounded(value: float) -> float:
    """The value as it is read and typed: 0.02, and not 0.020000000000000004."""
    return float(f"{value:.{DIGITS}g}")


def distinct_trials(rounds: Sequence[Round], best: Settings, tried: Sequence[Settings]) -> int:
    """How many trials there will have been, those `tried` counted, once all `rounds` are done: of
    later ones as if the best were the first of the round before.
    """
    known = list(tried)
    for make in rounds:
        asked = [settings for settings in make(best) if settings not in known]
        known += [one for place, one in enumerate(asked) if one not in asked[:place]]
        best = asked[0] if asked else best
    return len(known)


@dataclass(frozen=True)
class Tuned:
    """The best settings, their objective, and every trial (settings, state, value)."""

    settings: Settings
    value: float
    trials: list[dict[str, Any]]


def tune(
    value: Trial,
    start: Settings,
    grid: TuningGrid,
    warmup: int,
    kept: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    name: str = "it",
) -> Tuned:
    """Search `grid` from the settings `start` of what messages call `name`, and keep every finished
    trial in the file `kept`, to resume from: one process at a time. Trials are pruned as `Trials`
    says. Where none comes to a finite value, that is `Diverged` and nothing is kept.
    """
    trials = Trials(kept, warmup)
    best, rounds = start, grid.rounds(list(start))
    tried: list[Settings] = []
    for place, make in enumerate(rounds):
        total = distinct_trials(rounds[place:], best, tried)
        for settings in make(best):
            if settings in tried:
                continue
            if all(settings_of(trial) != settings for trial in trials.finished):
                _try(trials, settings, value)
            tried.append(settings)
            progress(len(tried), total)
        best = settings_of(_best(trials, tried))
    reached = float(_best(trials, tried).value or 0.0)
    if not math.isfinite(reached):
        trials.forget()
        raise _nothing_finite(name, tried)
    _warn_at_an_end(best, tried)
    records = [
        {**settings_of(t), "state": t.state.name.lower(), "value": t.value} for t in trials.finished
    ]
    return Tuned(best, reached, records)


def _best(trials: Trials, tried: Sequence[Settings]) -> FrozenTrial:
    """The best of these: a search that is resumed has trials of later rounds too."""
    completed = [trial for trial in trials.finished if trial.state == TrialState.COMPLETE]
    known = [trial for trial in completed if settings_of(trial) in tried]
    return min(known, key=lambda trial: float(trial.value or 0.0))


def _nothing_finite(name: str, tried: Sequence[Settings]) -> Diverged:
    shown = [" and ".join(f"{key} {value:g}" for key, value in each.items()) for each in tried]
    told = ", ".join(dict.fromkeys(shown[:TOLD])) + (", ..." if len(shown) > TOLD else "")
    field = (
        "tuning.rates" if any(_last(key) in STEP_SIZES for key in tried[0]) else "tuning.choices"
    )
    allowed = f"each breaks {name} on a validation instance (NaN or inf); give smaller ones"
    return Diverged(field, told, allowed)


def _warn_at_an_end(best: Settings, tried: Sequence[Settings]) -> None:
    """Say so where the best step size is the smallest or the largest of those tried."""
    for name in best:
        sizes = [settings[name] for settings in tried]
        ends = {"smallest": min(sizes), "largest": max(sizes)}
        for end, size in ends.items() if _last(name) in STEP_SIZES else ():
            if best[name] == size and min(sizes) < max(sizes):
                message = "the best %s, %g, is the %s tried; a wider range may have a better one"
                log.warning(message, name, size, end)


def _try(trials: Trials, settings: Settings, value: Trial) -> None:
    running = trials.path.with_name(f"trial-{fingerprint(settings)}.safetensors")
    trial = trials.begin(settings)

    def report(step: int, intermediate: float) -> None:
        trial.report(intermediate, step)
        if step == trials.warmup and trial.should_prune():
            raise optuna.TrialPruned

    try:
        found = value(settings, report, running)
    except optuna.TrialPruned:
        trials.end(trial, None)
        log.info("tuning %s: pruned", settings)
    else:
        trials.end(trial, float("inf") if math.isnan(found) else found)
        log.info("tuning %s: %.4g", settings, found)
    running.unlink(missing_ok=True)


def optimizer_value(
    build: Callable[[Settings], Optimizer],
    family: OptimizeeFamily,
    steps: int,
    objective: str,
    settings: Settings,
    report: Report,
    running: Path,
) -> float:
    """`objective` of the optimizer that `build` makes, run on all validation instances; infinite
    where any of them breaks it.
    """
    oracle = Oracle(family.placed("validation", trial_rows(family.sizes["validation"], 1)))
    recorder = Recorder()
    told = 0

    def tell(step: int) -> None:  # what a run reported before it was killed is reported anew
        nonlocal told
        for column in recorder.columns[told:step]:
            told += 1
            report(told, float(column.loss.nan_to_num(torch.inf).mean()))

    trajectory = run(
        build(settings),
        oracle,
        steps,
        torch.Generator(family.device).manual_seed(TUNING_SEED),
        recorder=recorder,
        checkpoint=RunCheckpoint(running),
        progress=tell,
    )
    value = float(trajectory_statistics(trajectory)[objective])
    return float("inf") if bool(oracle.failed.any()) else value


def _last(name: str) -> str:
    return name.rpartition(".")[2]

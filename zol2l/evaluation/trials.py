"""The finished trials of a search on disk: a search that was killed goes on with them."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from zol2l.storage.bad_files import intact, reading
from zol2l.storage.json_files import read_json, write_json

Settings = dict[str, float]


class Trials:
    """An Optuna study without parameters of its own, its finished trials in the file `path`: their
    settings, states, values and what each had reported at the step `warmup`, which is all that the
    pruner asks of them. It prunes a trial there if its best report so far is worse than the median
    of what the completed trials had reported there.
    """

    def __init__(self, path: Path, warmup: int) -> None:
        self.path, self.warmup = path, warmup
        pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=warmup - 1)
        self.study = optuna.create_study(pruner=pruner)
        self.study.add_trials(intact(path, self._read) or [])

    @property
    def finished(self) -> list[FrozenTrial]:
        """In the order in which they were made."""
        return [trial for trial in self.study.trials if trial.state.is_finished()]

    def begin(self, settings: Settings) -> optuna.Trial:
        """A trial of these settings."""
        trial = self.study.ask()
        trial.set_user_attr("settings", settings)
        return trial

    def end(self, trial: optuna.Trial, value: float | None) -> None:
        """The trial is worth `value`; None: it was pruned."""
        pruned = value is None
        self.study.tell(trial, value, TrialState.PRUNED if pruned else TrialState.COMPLETE)
        write_json(self.path, {"trials": [self._record(each) for each in self.finished]})

    def forget(self) -> None:
        """Nothing of the search is to be gone on from."""
        self.path.unlink(missing_ok=True)

    def _record(self, trial: FrozenTrial) -> dict[str, object]:
        return {
            "settings": settings_of(trial),
            "state": trial.state.name.lower(),
            "value": trial.value if trial.state == TrialState.COMPLETE else None,
            "reported": trial.intermediate_values.get(self.warmup),
        }

    def _read(self, path: Path) -> list[FrozenTrial]:
        records = read_json(path, "trials")["trials"]
        with reading(path):
            return [
                create_trial(
                    state=TrialState[record["state"].upper()],
                    value=record["value"],
                    user_attrs={"settings": dict(record["settings"])},
                    intermediate_values=(
                        {} if record["reported"] is None else {self.warmup: record["reported"]}
                    ),
                )
                for record in records
            ]


def settings_of(trial: FrozenTrial) -> Settings:
    """What a trial has tried."""
    return dict(trial.user_attrs["settings"])

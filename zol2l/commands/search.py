"""Where tuned settings are searched, kept and found again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from zol2l.evaluation.trials import Settings
from zol2l.evaluation.tuning import Trial, TuningGrid, tune
from zol2l.machine.provenance import provenance
from zol2l.storage.bad_files import intact, reading
from zol2l.storage.json_files import flat, read_json, write_json
from zol2l.storage.lock import alone
from zol2l.storage.stage import claim, freed_if_diverged, made_with
from zol2l.terminal.progress import progress_bars

log = logging.getLogger(__name__)


def search(
    cfg: DictConfig,
    name: str,
    settings: Mapping[str, Any],
    grid: TuningGrid,
    start: Settings,
    value: Trial,
    objective: str,
    warmup: int,
) -> None:
    """Tune what is called `name` for the `value` called `objective` and keep what was found, unless
    that is done; `settings` is all that the outcome depends on.
    """
    path = tuned_path(cfg, name)
    with alone(path.parent):
        claim(path.parent, settings)
        if intact(path, _settings_in) is not None:
            return
        with progress_bars() as show, freed_if_diverged(path.parent):
            kept, told = path.with_name("trials.json"), partial(show, f"Tuning {name}")
            found = tune(value, start, grid, warmup, kept, told, name)
        content = {"settings": found.settings, objective: found.value, "trials": found.trials}
        write_json(path, {**content, "provenance": provenance()})
    log.info("Tuned %s: %s, %s %.4g, %s", name, found.settings, objective, found.value, path)


def found_settings(
    cfg: DictConfig, name: str, now: Mapping[str, Any], own: str
) -> dict[str, float]:
    """What a search found in this run folder; empty, and said so, where there was none or where
    the settings that begin with `own` are no longer those that were tuned.
    """
    path = tuned_path(cfg, name)
    if not path.exists():
        return {}
    made_for, found = made_with(path.parent), _settings_in(path)
    is_now = flat(now)
    changed = [key for key, value in flat(made_for).items() if is_now.get(key) != value]
    if any(key.startswith(own) for key in changed):
        log.warning("%s: tuned %s not applied, %s differ", name, found, ", ".join(changed))
        return {}
    if changed:
        log.warning("%s was tuned with other %s", name, ", ".join(changed))
    log.info("%s: %s, from %s", name, found, path)
    return found


def _settings_in(path: Path) -> Settings:
    tuned = read_json(path, "settings", remedy="run `zol2l tune` again")["settings"]
    with reading(path):
        return {str(key): float(value) for key, value in tuned.items()}


def tuned_path(cfg: DictConfig, name: str) -> Path:
    """Where the settings found are recorded, with the command that found them and every trial."""
    return Path(cfg.paths.tuning) / name / "tuned.json"

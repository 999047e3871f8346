"""Any set of run folders as one tidy table of values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console

from zol2l.errors import InvalidInput, require
from zol2l.evaluation.results import read_results
from zol2l.evaluation.summary import knows_success, runs
from zol2l.reporting.apart import methods_apart, tasks_apart
from zol2l.storage.json_files import read_json
from zol2l.storage.made_of import methods_in
from zol2l.storage.stage import POINTS

RESULTS = "results.parquet"
KEPT = ("parts", "wandb", "tuning")
"""Folders of a run folder that hold no results of their own."""
COLUMNS = ["folder", "task", "method", "seed", "instance", "trial", "metric", "value", "unit"]


def gather(folders: Sequence[Path]) -> pd.DataFrame:
    """All values below the folders: a row per folder, task, method, seed, instance, trial, metric.

    `unit` names the column, `instance` or `seed`, of what is independent of each other in a task
    and what methods are compared on. Runs of one `task` had the same problem and protocol but for
    the seed. Failures have no queries: they are censored. What several folders hold alike is one
    value, of the first of them.
    """
    found = [path for folder in folders for path in results_below(Path(folder))]
    frames = [values for path in dict.fromkeys(found) if (values := _readable(path)) is not None]
    require(len(frames) > 0, "folder", ", ".join(map(str, folders)), "results that can be read")
    values = pd.concat(frames, ignore_index=True)
    return methods_apart(tasks_apart(values))[COLUMNS]


def results_below(folder: Path) -> list[Path]:
    """The results files in a folder and all those below it."""
    require(folder.is_dir(), "folder", folder, "a folder that runs have written")
    paths = sorted(folder.rglob(RESULTS))
    kept = [path for path in paths if not set(path.relative_to(folder).parts) & set(KEPT)]
    require(len(kept) > 0, "folder", folder, f"a folder with {RESULTS} in it or below it")
    return kept


def _readable(path: Path) -> pd.DataFrame | None:
    """The values in one results file; None, and said so, if it or its record cannot be read."""
    try:
        return values_of(path)
    except (InvalidInput, OSError, ValueError, KeyError, TypeError) as error:
        told = f"Left out: {path}: {error or type(error).__name__}"
        Console(stderr=True, soft_wrap=True).print(told, highlight=False, markup=False)
        return None


def values_of(path: Path) -> pd.DataFrame:
    """The values in one results file."""
    names = set(pq.read_schema(path).names)
    for key, kind in KINDS.items():
        if key in names:
            config, point = configuration(path, (kind.command, "reproduce"))
            rows = kind.values(read_results(path), config)
            defined = rows["method"].map(methods_in(path.parent)).fillna("")
            task = kind.task(config)
            settings = {part: config[part] for part in kind.settings}
            settings[kind.settings[-1]] = {**config[kind.settings[-1]], "seed": None}
            return rows.assign(
                folder=str(path.parent),
                task=f"{task} ({point})" if point else task,
                definition=defined,
                settings=json.dumps(settings, sort_keys=True),
                unit=kind.unit,
            )
    raise InvalidInput("folder", path, "results of evaluate, attack or adv-evaluate")


def configuration(path: Path, commands: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The configuration with which one of the commands made a results file, and at which of an
    experiment's points: the record of run/points/POINT is that of run.
    """
    folder, point = path.parent, ""
    if folder.parent.name == POINTS:
        folder, point = folder.parent.parent, folder.name
    for command in commands:
        record = folder / f"{command}.json"
        if record.is_file():
            return read_json(record, "config")["config"], point
    allowed = f"a folder with {' or '.join(f'{name}.json' for name in commands)}: not killed midway"
    raise InvalidInput("folder", path.parent, allowed)


def evaluated(results: pd.DataFrame, config: Mapping[str, Any]) -> pd.DataFrame:
    """Of `evaluate`: success, queries to success and final loss of each run."""
    each = runs(results).assign(seed=config["evaluation"]["seed"])
    metrics = {"loss": "final loss"}
    if knows_success(results):
        metrics |= {"success": "success", "queries_to_success": "queries to success"}
    return _tidy(each, metrics)


def attacked(results: pd.DataFrame, config: Mapping[str, Any]) -> pd.DataFrame:
    """Of `attack`: success, and queries of the images that it broke."""
    queries = results["queries"].where(results["success"])
    each = results.assign(queries=queries, trial=0, seed=config["attacking"]["seed"])
    return _tidy(each, {"success": "success", "queries": "queries to success"})


def tested(results: pd.DataFrame, config: Mapping[str, Any]) -> pd.DataFrame:
    """Of `adv-evaluate`: which images are known under each attacker."""
    within = results[results["radius"] == 1]
    frames = []
    for attacker, rows in within.groupby("attacker", observed=True, sort=False):
        frames.append(_tidy(rows.assign(trial=0), {"correct": f"accuracy under {attacker}"}))
    return pd.concat(frames, ignore_index=True)


def _tidy(each: pd.DataFrame, metrics: Mapping[str, str]) -> pd.DataFrame:
    keys = ["method", "seed", "instance", "trial"]
    known = each[[*keys, *metrics]].rename(columns=dict(metrics)).astype({"method": str})
    known[list(metrics.values())] = known[list(metrics.values())].astype(float)
    return known.melt(keys, list(metrics.values()), "metric", "value")


def _optimizee(config: Mapping[str, Any]) -> str:
    return str(config["optimizee"]["name"])


def _attacked(config: Mapping[str, Any]) -> str:
    return f"{_optimizee(config)}, attacks"


def _images(config: Mapping[str, Any]) -> str:
    return f"{config['recipe']['name']}, robust classifiers"


@dataclass(frozen=True)
class Kind:
    """What results are of, their values, the settings that make their task, the last of which has
    a seed that does not count, and the unit of `gather`: runs of one instance share its luck, and
    images under one classifier share that one's.
    """

    command: str
    task: Callable[[Mapping[str, Any]], str]
    values: Callable[[pd.DataFrame, Mapping[str, Any]], pd.DataFrame]
    settings: tuple[str, ...]
    unit: str = "instance"


KINDS = {
    "trial": Kind("evaluate", _optimizee, evaluated, ("optimizee", "evaluation")),
    "outside_ball": Kind("attack", _attacked, attacked, ("optimizee", "attacking")),
    "radius": Kind("adv-evaluate", _images, tested, ("data", "threat", "robustness"), "seed"),
}
"""By a column that only results of one kind have."""

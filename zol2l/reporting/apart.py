"""What has one name in the results of many folders, and is not one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zol2l.errors import InvalidInput
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.json_files import flat, read_json

RUN = ["task", "method", "seed", "instance", "trial", "metric"]
"""What names a value."""
SEEDS = ("seed=", "evaluation.seed=", "attacking.seed=", "robustness.seed=")
MOST = 3
"""Settings that a name is given; more are told by a fingerprint."""


def tasks_apart(values: pd.DataFrame) -> pd.DataFrame:
    """Values whose tasks have names of their own: where tasks of one name differ in their settings
    (column `settings`, JSON), these are added to it.
    """
    names: dict[tuple[str, str], str] = {}
    for task, group in values.groupby("task", sort=False):
        texts = group["settings"].unique()
        told = _differences([flat(json.loads(text)) for text in texts])
        named = [_with(str(task), more) for more in told]
        names |= {(str(task), text): name for text, name in zip(texts, named, strict=True)}
    pairs = zip(values["task"], values["settings"], strict=True)
    return values.assign(task=[names[pair] for pair in pairs])


def methods_apart(values: pd.DataFrame) -> pd.DataFrame:
    """Values of which none is there twice. A method that ran in several folders and gave the same
    numbers in all, as the common ones of a sweep's jobs do, is one. One that is defined otherwise,
    or has other numbers for the same seed, instance and trial, is told apart by what its folders do
    not share, seeds aside.
    """
    clashes = values.loc[_clash(values), ["task", "method"]].drop_duplicates()
    for task, method in clashes.itertuples(index=False):
        mine = values[(values["task"] == task) & (values["method"] == method)]
        folders = mine["folder"].unique()
        for labels in (_parts(folders), folders):  # a whole path is always enough
            names = dict(zip(folders, labels, strict=True))
            told = [_with(method, names[folder]) for folder in mine["folder"]]
            if not _clash(mine.assign(method=told)).any():
                break
        values.loc[mine.index, "method"] = told
    return values.drop_duplicates(RUN, ignore_index=True)


def _clash(values: pd.DataFrame) -> pd.Series:
    """Which values are there with another number too, what is censored being one as well, or are of
    a method that has several definitions; the empty one is not known and like any other.
    """
    numbers = values.groupby(RUN, sort=False)["value"].transform("nunique", dropna=False)
    known = values.assign(definition=values["definition"].replace("", None))
    definitions = known.groupby(RUN[:2], sort=False)["definition"].transform("nunique")
    return (numbers > 1) | (definitions > 1)


def _differences(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each of some settings, those in which they are not all the same."""
    keys = list(dict.fromkeys(key for each in settings for key in each))
    varied = [key for key in keys if len({str(each.get(key)) for each in settings}) > 1]
    if len(varied) > MOST:
        return [fingerprint(each)[:6] for each in settings]
    return [", ".join(f"{key}={each.get(key)}" for key in varied) for each in settings]


def _parts(folders: Sequence[str]) -> list[str]:
    """For each folder its settings and its place that not all of them have, without seeds."""
    parts = [
        [text for text in _settings(Path(folder)) if not text.startswith(SEEDS)]
        for folder in folders
    ]
    shared = set.intersection(*map(set, parts))
    return [",".join(text for text in mine if text not in shared) for mine in parts]


def _settings(folder: Path) -> list[str]:
    """The folder above, that of the run for a job of a sweep, and the settings that name a job."""
    above = folder.parents[1] if folder.parent.name == "multirun" else folder.parent
    try:
        return [above.name, *read_json(folder / "job.json").get("settings", [])]
    except (InvalidInput, FileNotFoundError):
        return [above.name, *folder.name.split(",")]


def _with(name: str, more: str) -> str:
    return f"{name} [{more}]" if more else name

"""Names of tasks and methods, where results of many folders come together."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from zol2l.reporting.apart import methods_apart, tasks_apart


def run(
    folder: str, method: str, values: list[float | None], seed: int = 0, definition: str = ""
) -> pd.DataFrame:
    rows = {
        "task": "t",
        "method": method,
        "seed": seed,
        "instance": range(len(values)),
        "trial": 0,
    }
    return pd.DataFrame(
        {**rows, "metric": "loss", "value": values, "folder": folder, "definition": definition}
    ).astype({"value": float})


def names(*frames: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(methods_apart(pd.concat(frames, ignore_index=True))["method"]))


def test_a_method_that_jobs_have_in_common_is_one() -> None:
    jobs = [
        frame
        for seed in (0, 1)
        for baseline in ("a", "b")
        for frame in (
            run(f"multirun/baseline={baseline},seed={seed}", baseline, [1.0, 2.0 + seed], seed),
            run(f"multirun/baseline={baseline},seed={seed}", "learned", [0.5, None], seed),
        )
    ]
    values = methods_apart(pd.concat(jobs, ignore_index=True))
    assert sorted(values["method"].unique()) == ["a", "b", "learned"]
    assert len(values) == 3 * 2 * 2
    assert not values.duplicated(["method", "seed", "instance"]).any()


def test_one_name_with_other_numbers_is_told_by_what_folders_do_not_share() -> None:
    found = names(
        *[
            run(f"multirun/rate={rate},seed={seed},steps=3", "sgd", [rate + seed], seed)
            for rate in (1, 2)
            for seed in (0, 1)
        ],
        run("multirun/rate=1,seed=0,steps=3", "adam", [7.0]),
    )
    assert found == ["sgd [rate=1]", "sgd [rate=2]", "adam"]


def test_censored_and_known_are_other_numbers() -> None:
    assert len(names(run("a", "sgd", [1.0, None]), run("b", "sgd", [1.0, 3.0]))) == 2


def test_methods_of_other_definitions_are_two_even_where_no_seed_is_in_both() -> None:
    first, second = run("o/rate=1,seed=0", "sgd", [1.0]), run("o/rate=5,seed=1", "sgd", [9.0], 1)
    assert names(first, second) == ["sgd"]
    found = names(first.assign(definition="a"), second.assign(definition="b"))
    assert found == ["sgd [rate=1]", "sgd [rate=5]"]
    assert names(first.assign(definition="a"), second) == ["sgd"]


def test_run_folders_with_the_same_sweep_are_told_by_their_names() -> None:
    found = names(
        *[
            run(f"o/{name}/multirun/sgd,seed={seed}", "sgd", [float(value)], seed)
            for value, name in enumerate(("first", "second"))
            for seed in (0, 1, 2)
        ]
    )
    assert found == ["sgd [first]", "sgd [second]"]


def test_folders_of_one_name_are_told_by_their_paths() -> None:
    found = names(run("x/job", "sgd", [1.0]), run("y/job", "sgd", [2.0]))
    assert found == ["sgd [x]", "sgd [y]"]
    found = names(run("x/a/multirun/job", "sgd", [1.0]), run("y/a/multirun/job", "sgd", [2.0]))
    assert found == ["sgd [x/a/multirun/job]", "sgd [y/a/multirun/job]"]
    found = names(run("job,seed=0", "sgd", [1.0]), run("job,seed=1", "sgd", [2.0]))
    assert found == ["sgd [job,seed=0]", "sgd [job,seed=1]"]


def tasks(*settings: Any) -> list[str]:
    frames = [
        run("f", "sgd", [1.0]).assign(settings=json.dumps({"optimizee": each})) for each in settings
    ]
    return tasks_apart(pd.concat(frames, ignore_index=True))["task"].tolist()


def test_tasks_are_told_by_the_settings_in_which_they_differ() -> None:
    assert tasks({"c": 1, "q": 2}, {"c": 1, "q": 2}) == ["t", "t"]
    found = tasks({"c": 1, "q": 2}, {"c": 1, "q": 3, "victim": {"name": "n"}})
    assert found == [
        "t [optimizee.q=2, optimizee.victim.name=None]",
        "t [optimizee.q=3, optimizee.victim.name=n]",
    ]


def test_tasks_that_differ_in_much_are_told_by_fingerprints() -> None:
    first, second = tasks(dict.fromkeys("abcd", 1), dict.fromkeys("abcd", 2))
    assert first != second and max(len(first), len(second)) == len("t [......]")

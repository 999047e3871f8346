"""One line per method: success rate, queries to success, final loss and distortion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zol2l.storage.files import write_atomically

RUN = ["method", "instance", "trial"]


def knows_success(results: pd.DataFrame) -> bool:
    """Whether the problem is one in which runs can succeed: an attack, which alone has an attack
    loss, or one of a user's own, known by its first success.
    """
    return bool(results["attack_loss"].notna().any() or results["success"].any())


def runs(results: pd.DataFrame) -> pd.DataFrame:
    """One row per method, instance and trial.

    `queries_to_success` and `iterations_to_success` are NaN where no iterate succeeded: failures
    are censored, not averaged.
    `success` says whether any iterate did, NaN where the problem knows no success; loss and
    distortion are the last iterate's.
    `queries_per_step` is known where the run was not stopped.
    """
    ordered = results.sort_values([*RUN, "step"])
    last = ordered.drop_duplicates(RUN, keep="last").set_index(RUN)
    last = last[["loss", "distortion", "step", "queries"]].copy()
    first = results[results["success"]].groupby(RUN, observed=True)[["queries", "step"]].min()
    first = first.reindex(last.index)
    last["queries_to_success"], last["iterations_to_success"] = first["queries"], first["step"]
    last["success"] = last["queries_to_success"].notna() if knows_success(results) else np.nan
    whole = last["loss"].notna() & (last["step"] > 0)
    last["queries_per_step"] = ((last["queries"] - 1) / last["step"]).where(whole)
    return last.reset_index()


def summarize(results: pd.DataFrame) -> pd.DataFrame:
    """The summary table; stopped instances (NaN) do not enter the means of loss and distortion."""
    grouped = runs(results).groupby("method", observed=True)
    table = grouped.agg(
        instances=("instance", "nunique"),
        trials=("trial", "nunique"),
        success_rate=("success", "mean"),
        queries_to_success_mean=("queries_to_success", "mean"),
        queries_to_success_median=("queries_to_success", "median"),
        final_loss_mean=("loss", "mean"),
        final_loss_std=("loss", "std"),
        final_distortion_mean=("distortion", "mean"),
        queries_per_step=("queries_per_step", "mean"),
    )
    return table.reset_index()


def summarize_point(results: pd.DataFrame) -> pd.DataFrame:
    """The summary with the iteration complexity of figures 8, 10: `iterations_to_success_mean`."""
    iterations = runs(results).groupby("method", observed=True)["iterations_to_success"].mean()
    summary = summarize(results)
    return summary.assign(iterations_to_success_mean=summary["method"].map(iterations))


def write_summary(path: Path, summary: pd.DataFrame) -> None:
    """Write summary.csv atomically, six significant digits."""
    write_atomically(path, lambda p: summary.to_csv(p, index=False, float_format="%.6g"))


def stopped_runs(results: pd.DataFrame) -> dict[str, int]:
    """Count the runs whose black box returned NaN or inf, for methods with such runs."""
    bad = results.loc[~np.isfinite(results["loss"]), RUN].drop_duplicates()
    return {str(method): len(part) for method, part in bad.groupby("method", observed=True)}

"""One coordinate's run under ZO-LSTM (ZO-L2L figure 4e)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from zol2l.analysis.observe import observe, predicted_std
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import Update


def coordinate_trajectory(
    optimizer: Optimizer,
    others: Mapping[str, Update],
    oracle: Oracle,
    steps: int,
    seed: int,
    coordinate: int | None = None,
) -> pd.DataFrame:
    """Follow one coordinate of the oracle's single instance: one row per step.

    Columns: step, theta, std (predicted), estimate, delta and, for each of the `others`, what it
    would have done given the same estimates, delta_<name>. `coordinate` None takes the one that
    ends farthest from its start.
    """
    thetas, stds, estimates, deltas = [], [], [], []
    for before, seen, after in observe(optimizer, oracle, steps, seed):
        thetas.append(before.theta[0])
        stds.append(predicted_std(seen))
        estimates.append(seen.estimate.gradient[0])
        deltas.append(after.theta[0] - before.theta[0])
    if coordinate is None:
        coordinate = int((thetas[-1] + deltas[-1] - thetas[0]).abs().argmax())
    columns = {"theta": thetas, "std": stds, "estimate": estimates, "delta": deltas}
    columns |= {f"delta_{name}": replay(update, estimates) for name, update in others.items()}
    values = {name: [float(x[coordinate]) for x in column] for name, column in columns.items()}
    return pd.DataFrame({"step": range(len(thetas)), **values})


@torch.no_grad()
def replay(update: Update, estimates: list[Tensor]) -> list[Tensor]:
    """The updates (D,) that a rule makes of a sequence of gradient estimates (D,)."""
    state = update.init(estimates[0][None])
    deltas = []
    for gradient in estimates:
        nothing = Evaluation(gradient.new_zeros(1, 1))
        delta, state = update(GradientEstimate(gradient[None], base=nothing), state)
        deltas.append(delta[0])
    return deltas

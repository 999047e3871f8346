"""How well an estimate points along the true gradient (ZO-L2L figure 4d)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor

from zol2l.analysis.observe import composed, observe
from zol2l.meta_gradient import autograd_gradient
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle
from zol2l.terminal.progress import Advance


def cosine_similarity(
    methods: Mapping[str, Optimizer],
    oracle: Callable[[], Oracle],
    directions: Sequence[int],
    steps: int,
    seed: int,
    progress: Advance,
    trials: int = 1,
) -> pd.DataFrame:
    """Mean cosine similarity of the estimate and the true gradient, for each method and q.

    Every method runs with q directions in place of its own; at each iterate before the first
    success the estimate is compared with the gradient by backpropagation, which costs no query.
    Columns: method, directions, cosine_mean and cosine_sem over instances, of each of which there
    are `trials` runs, one after the other.
    """
    rows = []
    for name, optimizer in methods.items():
        for done, q in enumerate(directions):
            progress(f"{name}, cosine similarity", done, len(directions))
            means = _cosines(with_directions(optimizer, q), oracle(), steps, seed, trials)
            error = float(means.std() / len(means) ** 0.5) if len(means) > 1 else float("nan")
            rows.append((name, q, float(means.mean()), error))
        progress(f"{name}, cosine similarity", len(directions), len(directions))
    return pd.DataFrame(rows, columns=["method", "directions", "cosine_mean", "cosine_sem"])


def with_directions(optimizer: Optimizer, directions: int) -> Optimizer:
    """A copy that draws `directions` query directions a step: no weights depend on their number."""
    changed = copy.deepcopy(composed(optimizer))
    changed.sampling.directions = directions
    return changed


def _cosines(optimizer: Optimizer, oracle: Oracle, steps: int, seed: int, trials: int) -> Tensor:
    """Mean over the iterates before success of all trials, for each instance with at least one,
    (<= B / trials,).
    """
    optimizee = oracle.optimizee
    total = torch.zeros(optimizee.instances, dtype=torch.float64)
    count = torch.zeros_like(total)
    unsolved = torch.ones(optimizee.instances, dtype=torch.bool)
    for before, seen, _ in observe(optimizer, oracle, steps, seed):
        if seen.estimate.base.success is not None:
            unsolved &= ~seen.estimate.base.success[:, 0].cpu()
        if not bool(unsolved.any()):
            break
        _, gradient = autograd_gradient(optimizee, before.theta)
        cosine = torch.cosine_similarity(seen.estimate.gradient, gradient, dim=-1).double().cpu()
        known = unsolved & cosine.isfinite()
        total += torch.where(known, cosine, 0)
        count += known
        oracle.stop(~unsolved)
    total, count = (of.view(-1, trials).sum(dim=1) for of in (total, count))
    return (total / count)[count > 0]

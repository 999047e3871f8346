"""Watch a run step by step: where it stood, what it saw there, where it went."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from zol2l.optimizer import ComposedOptimizer, Optimizer, Seen, State, iterate
from zol2l.oracle import Oracle, require_affordable


@torch.no_grad()
def observe(
    optimizer: Optimizer, oracle: Oracle, steps: int, seed: int
) -> Iterator[tuple[State, Seen, State]]:
    """Yield (before, seen, after) for each of `steps` steps, in evaluation mode."""
    optimizer.eval()
    generator = torch.Generator().manual_seed(seed)
    before = optimizer.init(oracle.optimizee.start())
    require_affordable(oracle.budget, optimizer.queries(before), "evaluation.budget")
    for after, seen in iterate(optimizer, oracle, before, steps, generator):
        yield before, seen, after
        before = after


def composed(optimizer: Optimizer) -> ComposedOptimizer:
    """The optimizer, which has to be sampling x estimator x update to be taken apart."""
    assert isinstance(optimizer, ComposedOptimizer)
    return optimizer


def predicted_std(seen: Seen) -> Tensor:
    """What the sampling rule of a single instance predicted, (D,): its own standard deviation for a
    rule that learns nothing.
    """
    directions = seen.directions
    predicted = directions.std if directions.predicted is None else directions.predicted
    return predicted[0]

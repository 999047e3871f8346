"""What each iterate of a run was worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zol2l.optimizer import State
from zol2l.types import Evaluation, Rows


@dataclass(frozen=True)
class Trajectory(Rows):
    """Per instance and iterate, (B, S) with S <= steps + 1; the first column is the start point.

    `queries` is what the optimizer would have spent had it stopped at this iterate: its loss
    queries before it, plus the one evaluation of the iterate. A stopped instance's rows are NaN; of
    one that was stopped by NaN or inf, `queries` is all that it spent.
    """

    queries: Tensor
    loss: Tensor
    attack_loss: Tensor
    distortion: Tensor
    success: Tensor
    prediction: Tensor


class Recorder:
    """Collects a trajectory, and the iterates of the instances `rows` at the steps `keep`."""

    def __init__(self, keep: Sequence[int] = (), rows: Sequence[int] = ()) -> None:
        self.keep, self.rows = frozenset(keep), list(rows)
        self.columns: list[Trajectory] = []
        self.iterates: list[Tensor] = []

    def add(self, state: State, evaluation: Evaluation, spent: Tensor, failed: Tensor) -> None:
        """Record the iterate of `state`, evaluated (n = 1) after `spent` (B,) loss queries but for
        the instances that had `failed` (B,) by then.
        """
        if len(self.columns) in self.keep:
            self.iterates.append(state.theta[self.rows].cpu())
        loss = evaluation.loss[:, 0]

        def first(values: Tensor | None, missing: float, dtype: torch.dtype) -> Tensor:
            if values is None:
                return torch.full_like(loss, missing, dtype=dtype)
            return values[:, 0].to(dtype)

        column = Trajectory(
            queries=spent + ~failed,
            loss=loss,
            attack_loss=first(evaluation.attack_loss, torch.nan, loss.dtype),
            distortion=first(evaluation.distortion, torch.nan, loss.dtype),
            success=first(evaluation.success, False, torch.bool),
            prediction=first(evaluation.prediction, -1, torch.int64),
        )
        self.columns.append(column.map(lambda x: x.cpu()))

    def trajectory(self) -> Trajectory:
        """All columns so far, (B, S)."""
        turned = [column.map(lambda x: x[None]) for column in self.columns]
        return Trajectory.cat(turned).map(lambda x: x.transpose(0, 1).contiguous())

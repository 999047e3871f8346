"""What a trajectory was worth: successes, queries to success, final loss."""

from __future__ import annotations

import torch
from torch import Tensor

from zol2l.trajectory import Trajectory


def first_success(success: Tensor) -> Tensor:
    """Column of the first successful iterate in success (B, S); -1 for instances without one."""
    column = success.int().argmax(dim=1)
    return torch.where(success.any(dim=1), column, -1)


def queries_to_success(trajectory: Trajectory) -> Tensor:
    """Queries (B,) until the first successful iterate had been evaluated, that evaluation
    included; NaN (censored) for instances that never succeed.
    """
    column = first_success(trajectory.success)
    spent = trajectory.queries.gather(1, column.clamp(min=0)[:, None])[:, 0].double()
    return torch.where(column >= 0, spent, torch.nan)


def weighted_loss(loss: Tensor) -> Tensor:
    """Mean of loss (B, S) over the iterates with the weights w_t = t of equation 4, (B,)."""
    weights = torch.arange(loss.shape[1], dtype=loss.dtype, device=loss.device)
    return (loss * weights).sum(dim=1) / weights.sum().clamp(min=1)


def trajectory_statistics(trajectory: Trajectory) -> dict[str, Tensor]:
    """Means over instances: the loss of equation 4, the final loss, success rate and queries to
    success. Learned weights are selected by `meta_loss`, which rewards both speed and final loss.

    Stopped instances (NaN) and, in the queries, failures are left out; the rate counts them all.
    The last two are there where runs can succeed, the last where one has.
    """
    found = {
        "meta_loss": weighted_loss(trajectory.loss).nanmean(),
        "final_loss": trajectory.loss[:, -1].nanmean(),
    }
    succeeded = bool(trajectory.success.any())
    if succeeded or not bool(trajectory.attack_loss.isnan().all()):
        found["success_rate"] = trajectory.success.any(dim=1).double().mean()
    if succeeded:
        found["queries_to_success"] = queries_to_success(trajectory).nanmean()
    return found

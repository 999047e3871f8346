"""Adversarial images over iterations with the victim's predictions (ZO-L2L table 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zol2l.optimizees import BlackBoxAttack
from zol2l.trajectory import Recorder, Trajectory


def take_pictures(
    attack: BlackBoxAttack, recorder: Recorder, trajectory: Trajectory, at: Sequence[int]
) -> dict[str, Tensor]:
    """Images (R, S, C, H, W), steps (S,), predictions (R, S) and true labels (R,) of the pictured
    rows, `at` these steps as far as the run came. The predictions are those of the run itself: no
    further query is spent.
    """
    rows = recorder.rows
    theta = torch.stack(recorder.iterates, dim=1)
    taken = len(recorder.iterates)
    steps = torch.tensor(at[:taken])
    pictured = attack[rows].to(theta.device)
    images = pictured.adversarial(theta).unflatten(-1, attack.images.shape[1:])
    predictions = trajectory.prediction[rows][:, steps]
    return {
        "images": images.float(),
        "steps": steps,
        "predictions": predictions,
        "labels": pictured.goal.labels,
    }

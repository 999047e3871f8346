"""How fast attackers raise a classifier's loss (Xiong & Hsieh, ECCV 2020, figure 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from zol2l.errors import require
from zol2l.evaluation.robustness import Attacker, withstand
from zol2l.maximizers import CrossEntropy
from zol2l.optimizees.threat_model import ThreatModel


def loss_trajectories(
    classifier: nn.Module,
    attackers: Mapping[str, Attacker],
    images: Tensor,
    labels: Tensor,
    threat: ThreatModel,
    *,
    seed: int = 0,
    chunk: int | None = None,
) -> pd.DataFrame:
    """The mean over images (B, C, H, W) of the cross-entropy at each attacker's iterates, all from
    the same start: columns attacker, step (0 ... T), loss. Attackers raise the cross-entropy.
    """
    frames = []
    for name, attacker in attackers.items():
        own = type(attacker.objective) is CrossEntropy and attacker.source is None
        allowed = f"one that raises the classifier's own cross-entropy; or '~attackers.{name}'"
        require(own, f"attackers.{name}", type(attacker.objective).__name__, allowed)
        seen = withstand(classifier, attacker, images, labels, threat, seed=seed, chunk=chunk)
        losses = torch.cat([seen.trajectory, seen.loss[:, None]], dim=1).double().mean(dim=0)
        columns = {"step": np.arange(len(losses)), "loss": losses.cpu().numpy()}
        frames.append(pd.DataFrame({"attacker": name, **columns}))
    return pd.concat(frames, ignore_index=True)

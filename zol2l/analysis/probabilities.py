"""How a victim's probabilities are spread over classes (ZO-NGD figure A2b)."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn

from zol2l.chunks import logits_of


@torch.no_grad()
def probability_distribution(victim: nn.Module, images: Tensor, ranks: int = 10) -> pd.DataFrame:
    """Mean and standard deviation over images (m, C, H, W) of the k-th largest probability, for k
    up to `ranks` or the number of classes: columns rank, probability_mean, probability_std.

    Where the first is near 1, the outer product of one score stands well for the Fisher information
    over all classes.
    """
    shares = logits_of(victim, images).softmax(dim=1)
    largest = shares.topk(min(ranks, shares.shape[1]), dim=1)[0].double()
    return pd.DataFrame(
        {
            "rank": range(1, largest.shape[1] + 1),
            "probability_mean": largest.mean(dim=0).cpu().numpy(),
            "probability_std": largest.std(dim=0, correction=0).cpu().numpy(),
        }
    )

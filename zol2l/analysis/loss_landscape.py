"""The loss around images, along the gradient's sign and a random sign vector (RNN-Adv, figure 3).

As Engstrom et al. (2018) draw it.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn

from zol2l.chunks import device_of, logits_of
from zol2l.errors import require
from zol2l.maximizers import CrossEntropy, Draws


@torch.no_grad()
def loss_landscape(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    reach: float,
    points: int = 21,
    seed: int = 0,
) -> pd.DataFrame:
    """The mean over images (B, C, H, W) of the cross-entropy at clip(x + a sign(grad L(x)) + b r),
    r with random signs, for a and b at `points` places from -reach to reach, in pixel values:
    columns along_gradient, along_random, loss. The classifier is in evaluation mode.
    """
    require(points >= 2, "points", points, "at least 2")
    device = device_of(classifier, images)
    images, labels = images.to(device), labels.to(device)
    signs = Draws.of(torch.Generator().manual_seed(seed), len(images)).uniform(*images.shape[1:])
    across = signs.sign().to(images)
    point = images.clone().requires_grad_()
    with torch.enable_grad():
        total = CrossEntropy().inner(classifier(point), labels, None).sum()
        (gradient,) = torch.autograd.grad(total, point)
    places = torch.linspace(-reach, reach, points).tolist()
    grid = [(a, b) for a in places for b in places]
    losses = []
    for a, b in grid:
        moved = (images + a * gradient.sign() + b * across).clamp(0, 1)
        found = CrossEntropy().inner(logits_of(classifier, moved), labels, None)
        losses.append(found.mean().item())
    columns = {"along_gradient": [a for a, _ in grid], "along_random": [b for _, b in grid]}
    return pd.DataFrame({**columns, "loss": losses})

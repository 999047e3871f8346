"""Random crops and reflections of whole batches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from zol2l.maximizers.draws import Draws

PADDING = 4


def augmented(images: Tensor, draws: Draws, padding: int = PADDING) -> Tensor:
    """Each image (m, C, H, W) moved by up to `padding` pixels each way, zeros moving in, and
    reflected left to right half the time.
    """
    count, _, height, width = images.shape
    top, left = (draws.integers(2 * padding + 1, 1) for _ in range(2))
    reflect = draws.uniform(1) < 0
    columns = torch.arange(width).expand(count, -1)
    columns = torch.where(reflect, columns.flip(1), columns) + left
    rows = torch.arange(height) + top
    place = torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    padded = pad(images, [padding] * 4).movedim(1, 3)
    return padded[tuple(index.to(images.device) for index in place)].movedim(3, 1)

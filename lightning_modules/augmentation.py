"""Random crops and reflections of whole batches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

PADDING = 4


def augmented(images: Tensor, generator: torch.Generator, padding: int = PADDING) -> Tensor:
    """Each image (m, C, H, W) moved by up to `padding` pixels each way, zeros moving in, and
    reflected left to right half the time. Draws come from `generator`, on the CPU.
    """
    count, _, height, width = images.shape
    top = torch.randint(2 * padding + 1, (count, 1), generator=generator)
    left = torch.randint(2 * padding + 1, (count, 1), generator=generator)
    reflect = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.arange(width).expand(count, -1)
    columns = torch.where(reflect, columns.flip(1), columns) + left
    rows = torch.arange(height) + top
    place = torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    padded = pad(images, [padding] * 4).movedim(1, 3)
    return padded[tuple(index.to(images.device) for index in place)].movedim(3, 1)

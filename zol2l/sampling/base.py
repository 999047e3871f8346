"""What every sampling rule is: where to look, given what the last step saw."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.errors import require_whole
from zol2l.types import Directions, Rows


@dataclass(frozen=True)
class LastStep(Rows):
    """What the last step left behind: its gradient estimate and its update, (B, D) each."""

    gradient: Tensor
    delta: Tensor


class Sampling(nn.Module):
    """A rule that draws Q query directions per instance. It costs no queries."""

    def __init__(self, directions: int = 20) -> None:
        super().__init__()
        require_whole("directions", directions, 1, "at least 1 (q >= 1)")
        self.directions = directions

    def init(self, theta: Tensor) -> Any:
        """The state before the first step at theta (B, D); None for rules without memory."""
        return None

    @abstractmethod
    def forward(
        self, last: LastStep, state: Any, generator: torch.Generator
    ) -> tuple[Directions, Any]:
        """Draw directions u (B, Q, D); return them with the next state."""

    def normal(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Standard Gaussian z (B, Q, D) for instances like (B, D)."""
        instances, dimension = like.shape
        return torch.randn(
            (instances, self.directions, dimension),
            generator=generator,
            dtype=like.dtype,
            device=like.device,
        )

"""What every update rule is: how to move, given a gradient estimate. It costs no queries."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor, nn

from zol2l.types import GradientEstimate


class Update(nn.Module):
    """(estimate, state) -> (delta (B, D), state)."""

    def init(self, theta: Tensor) -> Any:
        """The state before the first step at theta (B, D); None for rules without memory."""
        return None

    @abstractmethod
    def forward(self, estimate: GradientEstimate, state: Any) -> tuple[Tensor, Any]:
        """The step delta (B, D) and the next state."""

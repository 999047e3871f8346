"""UpdateRNN: a learned update rule (Ruan et al., ICLR 2020, equation 2)."""

from __future__ import annotations

from torch import Tensor

from zol2l.errors import require
from zol2l.networks.recurrent import CoordinatewiseLSTM, LSTMState
from zol2l.types import GradientEstimate
from zol2l.updates.base import Update


class UpdateRNN(Update):
    """delta = scale * LSTM(gain * g), coordinate by coordinate, one shared 1-layer LSTM.

    `scale` is alpha of section 4.3: it adapts a rule that was learned on problems with another
    ratio of updates to gradients. `gain` is the problem's unit of gradients, so that the LSTM,
    which is linear in small inputs, sees numbers around 1. State: the LSTM's.
    """

    def __init__(self, hidden: int = 10, scale: float = 1.0, gain: float = 1.0) -> None:
        super().__init__()
        require(scale > 0, "scale", scale, "a positive factor alpha of the update")
        require(gain > 0, "gain", gain, "a positive factor of the gradient estimate")
        self.scale, self.gain = scale, gain
        self.rnn = CoordinatewiseLSTM(inputs=1, hidden=hidden)

    def init(self, theta: Tensor) -> LSTMState:
        """Hidden state zero."""
        return self.rnn.init(theta)

    def forward(self, estimate: GradientEstimate, state: LSTMState) -> tuple[Tensor, LSTMState]:
        delta, state = self.rnn(self.gain * estimate.gradient[..., None], state)
        return self.scale * delta, state

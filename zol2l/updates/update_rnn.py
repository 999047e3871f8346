"""UpdateRNN: a learned update rule (Ruan et al., ICLR 2020, equation 2)."""

from __future__ import annotations

from torch import Tensor

from zol2l.recurrent import CoordinatewiseLSTM, LSTMState
from zol2l.types import GradientEstimate
from zol2l.updates.base import Update


class UpdateRNN(Update):
    """delta = LSTM(g), coordinate by coordinate, one shared 1-layer LSTM. State: the LSTM's."""

    def __init__(self, hidden: int = 10) -> None:
        super().__init__()
        self.rnn = CoordinatewiseLSTM(inputs=1, hidden=hidden)

    def init(self, theta: Tensor) -> LSTMState:
        """Hidden state zero."""
        return self.rnn.init(theta)

    def forward(self, estimate: GradientEstimate, state: LSTMState) -> tuple[Tensor, LSTMState]:
        delta, state = self.rnn(estimate.gradient[..., None], state)
        return delta, state

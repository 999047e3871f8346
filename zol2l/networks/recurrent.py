"""The coordinatewise LSTM that both learned parts of ZO-LSTM are made of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from zol2l.types import Rows

READOUT_SCALE = 0.1
"""The read-out starts small, so that an untrained optimizer barely moves (authors' release)."""


@dataclass(frozen=True)
class LSTMState(Rows):
    """Hidden and cell state (B, D, H)."""

    hidden: Tensor
    cell: Tensor


class CoordinatewiseLSTM(nn.Module):
    """One LSTM of `hidden` units shared by all coordinates, each with a state of its own.

    inputs (B, D, I) -> output (B, D). No biases, linear read-out (Ruan et al. 2020, section 3.1 and
    their release). Weights: 4H(I + H) + H.
    """

    def __init__(self, inputs: int, hidden: int = 10) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(inputs, hidden, bias=False)
        self.readout = nn.Linear(hidden, 1, bias=False)
        self.readout.weight.data.mul_(READOUT_SCALE)

    def init(self, theta: Tensor) -> LSTMState:
        """Zero state for theta (B, D)."""
        zeros = theta.new_zeros(*theta.shape, self.cell.hidden_size)
        return LSTMState(zeros, zeros)

    def forward(self, inputs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        shape = inputs.shape[:2]
        flat = state.map(lambda x: x.flatten(0, 1))
        hidden, cell = self.cell(inputs.flatten(0, 1), (flat.hidden, flat.cell))
        output = self.readout(hidden)[:, 0].view(shape)
        return output, LSTMState(hidden.view(*shape, -1), cell.view(*shape, -1))

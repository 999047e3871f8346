"""QueryRNN: a learned Gaussian sampling rule (Ruan et al., ICLR 2020, equation 3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zol2l.errors import require
from zol2l.networks.recurrent import CoordinatewiseLSTM, LSTMState
from zol2l.sampling.base import LastStep, Sampling
from zol2l.types import Directions

TINY = 1e-12
"""Keeps the first step's zero inputs zero."""


class QueryRNN(Sampling):
    """u = std * z with z ~ N(0, I) and std predicted for each coordinate by one shared LSTM.

    With o = LSTM([last gradient estimate, last update]), both detached and, if `normalize`, each
    divided by its root mean square over the coordinates (an update is some hundred times smaller
    than a gradient estimate, too small to be seen by a freshly initialized LSTM; the release feeds
    both raw):

        std = |1 + o|, rescaled so that ||std|| = sqrt(D), the norm for the identity.

    In evaluation mode X ~ Bernoulli(`mixing`), drawn once per instance and step, chooses between
    std and 1, which trades bias for variance (section 3.1, appendix C.3); in training mode the
    prediction is always used. The regularizer is sum(o^2) (equation 4, as the authors released it).
    Gradients reach the weights through u alone. State: the LSTM's.
    """

    def __init__(
        self, directions: int = 20, hidden: int = 10, mixing: float = 0.5, normalize: bool = True
    ) -> None:
        super().__init__(directions)
        require(0 <= mixing <= 1, "mixing", mixing, "a probability in [0, 1]")
        self.rnn = CoordinatewiseLSTM(inputs=2, hidden=hidden)
        self.mixing, self.normalize = mixing, normalize

    def init(self, theta: Tensor) -> LSTMState:
        """Hidden state zero."""
        return self.rnn.init(theta)

    def forward(
        self, last: LastStep, state: LSTMState, generator: torch.Generator
    ) -> tuple[Directions, LSTMState]:
        inputs = torch.stack([last.gradient.detach(), last.delta.detach()], dim=-1)
        if self.normalize:
            inputs = inputs / (inputs.square().mean(dim=1, keepdim=True).sqrt() + TINY)
        output, state = self.rnn(inputs, state)
        std = predicted = normalized_std(output)
        if not self.training:
            shape = (len(output), 1)
            draw = torch.rand(shape, generator=generator, dtype=std.dtype, device=std.device)
            std = torch.where(draw < self.mixing, std, torch.ones_like(std))
        u = std[:, None] * self.normal(last.gradient, generator)
        penalty = output.square().sum(dim=-1)
        return Directions(u, std, penalty, predicted=predicted), state


def normalized_std(output: Tensor) -> Tensor:
    """|1 + output| (B, D), rescaled to norm sqrt(D) per instance."""
    std: Tensor = (1 + output).abs()
    norm: Tensor = torch.linalg.vector_norm(std, dim=-1, keepdim=True)
    scaled: Tensor = std * (math.sqrt(std.shape[-1]) / norm)
    return scaled

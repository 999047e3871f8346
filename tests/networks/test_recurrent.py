"""UpdateRNN and QueryRNN are torch.nn.LSTM with a linear read-out, coordinate by coordinate."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.doubles import last_step
from tests.problems import normal, seeded
from zol2l.networks.recurrent import CoordinatewiseLSTM
from zol2l.sampling import QueryRNN
from zol2l.sampling.query_rnn import normalized_std
from zol2l.types import Evaluation, GradientEstimate
from zol2l.updates import UpdateRNN

STEPS, INSTANCES, DIMENSION = 5, 3, 4


def reference(ours: CoordinatewiseLSTM, inputs: Tensor) -> Tensor:
    """torch.nn.LSTM with the same weights on inputs (T, B, D, I) -> output (T, B, D)."""
    lstm = nn.LSTM(ours.cell.input_size, ours.cell.hidden_size, bias=False).to(inputs)
    lstm.weight_ih_l0.data.copy_(ours.cell.weight_ih)
    lstm.weight_hh_l0.data.copy_(ours.cell.weight_hh)
    hidden, _ = lstm(inputs.flatten(1, 2))
    return (hidden @ ours.readout.weight[0]).view(inputs.shape[:3])


def close(ours: Tensor, theirs: Tensor) -> bool:
    tolerance = 20 * torch.finfo(ours.dtype).eps
    return torch.allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_update_rnn_is_torch_lstm(dtype: torch.dtype) -> None:
    rule = UpdateRNN(hidden=5).to(dtype)
    gradients = normal(STEPS, INSTANCES, DIMENSION, seed=1, dtype=dtype)
    base = Evaluation(torch.zeros(INSTANCES, 1, dtype=dtype))
    state, deltas = rule.init(gradients[0]), []
    for gradient in gradients:
        delta, state = rule(GradientEstimate(gradient, base), state)
        deltas.append(delta)
    assert close(torch.stack(deltas), reference(rule.rnn, gradients[..., None]))


def test_query_rnn_is_torch_lstm(dtype: torch.dtype) -> None:
    rule = QueryRNN(directions=2, hidden=5, normalize=False).to(dtype).train()
    gradients = normal(STEPS, INSTANCES, DIMENSION, seed=2, dtype=dtype)
    deltas = normal(STEPS, INSTANCES, DIMENSION, seed=3, dtype=dtype)
    state, seen = rule.init(gradients[0]), []
    for gradient, delta in zip(gradients, deltas, strict=True):
        directions, state = rule(last_step(gradient, delta), state, seeded())
        seen.append(directions)
    output = reference(rule.rnn, torch.stack([gradients, deltas], dim=-1))
    std = normalized_std(output.flatten(0, 1)).view_as(output)
    assert close(torch.stack([x.std for x in seen]), std)
    assert close(torch.stack([x.penalty for x in seen]), output.square().sum(dim=-1))


def test_coordinates_do_not_influence_each_other() -> None:
    rule = CoordinatewiseLSTM(inputs=1, hidden=3).double()
    inputs = normal(2, 4, 1, seed=4)
    changed = inputs.clone()
    changed[0, 1] += 1
    outputs = [rule(x, rule.init(x[..., 0]))[0] for x in (inputs, changed)]
    moved = outputs[0] != outputs[1]
    assert moved.nonzero().tolist() == [[0, 1]]


@pytest.mark.parametrize(("inputs", "hidden"), [(1, 10), (2, 10), (1, 3)])
def test_number_of_weights(inputs: int, hidden: int) -> None:
    """4H(I + H) + H: no biases, as in the authors' release."""
    rule = CoordinatewiseLSTM(inputs, hidden)
    assert sum(w.numel() for w in rule.parameters()) == 4 * hidden * (inputs + hidden) + hidden


def test_an_untrained_readout_is_a_tenth_of_torchs_default() -> None:
    bound = 0.1 / 10**0.5
    largest = max(CoordinatewiseLSTM(1).readout.weight.abs().max() for _ in range(20))
    assert 0.8 * bound < largest <= bound

"""The learned maximizers: sizes, symmetries, and the derivative of their objective."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.maximizers.cases import LEARNED, MAXIMIZERS, OBJECTIVES, inner_problem
from tests.problems import seeded
from zol2l.maximizers import Draws
from zol2l.maximizers.generator import GeneratorMaximizer
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.maximizers.unet import PerturbationUNet
from zol2l.networks.convolutional import parameter_count
from zol2l.optimizees.threat_model import LInfBall


@pytest.fixture
def rnn() -> RNNMaximizer:
    torch.manual_seed(0)
    return RNNMaximizer().double()


def test_the_rnn_has_120_weights_and_the_generator_500_944() -> None:
    assert parameter_count(RNNMaximizer()) == 120
    assert parameter_count(GeneratorMaximizer(channels=3)) == 500_944


def test_no_gradient_and_no_state_give_no_update(rnn: RNNMaximizer) -> None:
    problem = inner_problem()
    loss, gradient = problem.slope(problem.images)
    state = rnn.begin(problem, Draws.of(seeded(0), 4))
    moved, after = rnn.move(problem, problem.images, loss, torch.zeros_like(gradient), state)
    assert torch.equal(moved, problem.images)
    assert not after.any()


def test_the_rnn_is_torchs_cell_for_each_pixel(rnn: RNNMaximizer) -> None:
    problem = inner_problem(threat=LInfBall(0.3))
    cell = nn.RNNCell(1, 10, bias=False).double()
    cell.load_state_dict(rnn.cell.state_dict())
    state, hidden = rnn.begin(problem, Draws.of(seeded(0), 4)), torch.zeros(4 * 64, 10).double()
    point = problem.images
    for _ in range(3):
        loss, gradient = problem.slope(point)
        scaled = gradient / gradient.abs().mean(dim=(1, 2, 3), keepdim=True)
        hidden = cell(scaled.view(-1, 1), hidden)
        wanted = point + 0.5 * 0.3 * torch.tanh(hidden @ rnn.readout.weight.T).view_as(point)
        wanted = torch.minimum(torch.maximum(wanted, problem.images - 0.3), problem.images + 0.3)
        point, state = rnn.move(problem, point, loss, gradient, state)
        torch.testing.assert_close(point, wanted.clamp(0, 1))


@pytest.mark.parametrize("seed", [3, 4, 6])  # V as drawn would descend
def test_random_weights_ascend(seed: int) -> None:
    torch.manual_seed(seed)
    rnn = RNNMaximizer().double()
    problem = inner_problem(threat=LInfBall(0.3))
    before, gradient = problem.slope(problem.images)
    point, state = problem.images, rnn.begin(problem, Draws.of(seeded(0), 4))
    for _ in range(10):
        point, state = rnn.move(problem, point, before, gradient, state)
    moved = ((point - problem.images) * gradient).sum(dim=(1, 2, 3))
    assert (moved > 0).all()
    assert rnn.reach() > 0


@pytest.mark.parametrize("factor", [1e-30, 1e6])
def test_the_size_of_gradients_does_not_matter(rnn: RNNMaximizer, factor: float) -> None:
    problem = inner_problem()
    loss, gradient = problem.slope(problem.images)
    state = rnn.begin(problem, Draws.of(seeded(0), 4))
    tiny = factor < 1e-20
    one, _ = rnn.move(problem, problem.images, loss, gradient, state)
    other, _ = rnn.move(problem, problem.images, loss, gradient * factor, state)
    assert torch.allclose(one, other) != tiny  # of numbers below 1e-20 nothing is made


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", LEARNED)
def test_the_gain_has_the_derivative_of_the_weighted_losses(name: str, objective: str) -> None:
    torch.manual_seed(0)
    maximizer = MAXIMIZERS[name]().double().train()
    if isinstance(maximizer, GeneratorMaximizer):
        maximizer.diversity = 0.0
    problem = inner_problem(OBJECTIVES[objective])
    weights = list(maximizer.parameters())
    gain = maximizer(problem, Draws.of(seeded(0), 4)).gain
    found = torch.autograd.grad(gain, weights, allow_unused=True)

    copies = 2 if name == "generator" else 1
    shown, draws = problem.repeated(copies), Draws.of(seeded(0), 4).repeated(copies)
    torch.manual_seed(0)
    again = MAXIMIZERS[name]().double().train()
    points = again.trace(shown, draws).points
    problem.classifier.eval()
    objective_value = torch.stack(
        [again.weight(t) * shown._values(x).sum() / 4 for t, x in enumerate(points) if t]
    ).sum()
    wanted = torch.autograd.grad(objective_value, list(again.parameters()), allow_unused=True)
    assert any(g is not None and g.abs().max() > 1e-6 for g in wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_training_the_rnn_alone_makes_it_stronger_than_its_start(rnn: RNNMaximizer) -> None:
    problem = inner_problem()

    def reached() -> float:
        found = rnn.eval()(problem, Draws.of(seeded(0), 4)).adversarial[0]
        return problem.value(found).mean().item()

    before = reached()
    adam = torch.optim.Adam(rnn.parameters(), lr=1e-2)
    for _ in range(40):
        gain = rnn.train()(problem, Draws.of(seeded(0), 4)).gain
        assert gain is not None
        adam.zero_grad()
        (-gain).backward()
        adam.step()
    assert reached() > before + 0.05


def test_the_diversity_of_the_generator_is_its_formula() -> None:
    torch.manual_seed(0)
    maximizer = GeneratorMaximizer(channels=1, classes=3, steps=3).double().train()
    nn.init.normal_(maximizer.generator.out.weight)
    problem, gains = inner_problem(), []
    for diversity in (0.0, 0.7):
        maximizer.diversity = diversity
        gains.append(maximizer(problem, Draws.of(seeded(0), 4)).gain.item())
    trace = maximizer.trace(problem.repeated(2), Draws.of(seeded(0), 4).repeated(2))
    terms = []
    for point in trace.points[1:]:
        for one in range(4):
            between_codes = (trace.first[one] - trace.first[one + 4]).abs().mean()
            between_images = (point[one] - point[one + 4]).abs().mean() / problem.threat.eps
            terms.append((between_images / between_codes).item())
    assert gains[1] - gains[0] == pytest.approx(0.7 * sum(terms) / len(terms))


def test_the_generator_attacks_twice_from_two_codes_and_learns_to_differ() -> None:
    torch.manual_seed(0)
    maximizer = GeneratorMaximizer(channels=1, classes=3, steps=3, diversity=5.0).double().train()
    nn.init.normal_(maximizer.generator.out.weight)
    problem = inner_problem()
    found = maximizer(problem, Draws.of(seeded(0), 4))
    assert found.adversarial.shape == (2, 4, 1, 8, 8) and found.losses.shape == (3, 4)
    apart = (found.adversarial[0] - found.adversarial[1]).abs().mean()
    assert apart > 0
    adam = torch.optim.Adam(maximizer.parameters(), lr=1e-3)
    for _ in range(20):
        gain = maximizer(problem, Draws.of(seeded(0), 4)).gain
        adam.zero_grad()
        (-gain).backward()
        adam.step()
    later = maximizer(problem, Draws.of(seeded(0), 4)).adversarial
    assert (later[0] - later[1]).abs().mean() > apart


def test_labels_choose_the_generators_normalization() -> None:
    torch.manual_seed(0)
    generator = GeneratorMaximizer(channels=1, classes=3).generator.eval()
    generator.norm2.shift.weight.data[1] = 3.0
    inputs, code = torch.rand(1, 3, 8, 8), torch.zeros(1, 8)
    zero, one, two = (generator(inputs, torch.tensor([label]), code) for label in range(3))
    assert torch.equal(zero, two) and not torch.allclose(zero, one)


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (30, 30)])
def test_the_generator_takes_images_of_any_size(size: tuple[int, int]) -> None:
    unet = PerturbationUNet(channels=1, classes=3, width=4).eval()
    inputs, labels, code = torch.rand(2, 3, *size), torch.tensor([0, 2]), torch.rand(2, 8)
    found = unet(inputs, labels, code)
    assert found.shape == (2, 1, *size)
    continued = torch.zeros(2, 3, 32, 32)
    continued[:, :, : size[0], : size[1]] = inputs
    whole = unet(continued, labels, code)
    if min(size) == 30:
        torch.testing.assert_close(found, whole[:, :, :30, :30])

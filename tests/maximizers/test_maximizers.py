"""What holds for every inner maximizer, under every objective and threat model."""

from __future__ import annotations

import pytest
import torch

from tests.maximizers.cases import BALLS, LEARNED, MAXIMIZERS, OBJECTIVES, inner_problem, network
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.maximizers import CrossEntropy, Draws, InnerProblem
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.draws import OwnDraws
from zol2l.maximizers.generator import GeneratorMaximizer
from zol2l.maximizers.line_search import BacktrackingPGD
from zol2l.maximizers.pgd import PGD
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.optimizees.threat_model import LInfBall


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", MAXIMIZERS)
def test_images_stay_in_the_ball_and_the_box(
    name: str, objective: str, ball: str, training: bool
) -> None:
    torch.manual_seed(0)
    problem = inner_problem(OBJECTIVES[objective], BALLS[ball])
    found = MAXIMIZERS[name]().double().train(training)(problem, Draws.of(seeded(0), 4))
    change = (found.adversarial - problem.images).flatten(2)
    assert problem.threat.size(change).max() <= problem.threat.eps + 1e-6
    assert found.adversarial.min() >= 0 and found.adversarial.max() <= 1
    assert found.adversarial.requires_grad is False
    assert (found.gain is not None) == (training and name in LEARNED)


@pytest.mark.parametrize("name", MAXIMIZERS)
def test_a_batch_is_its_instances_one_by_one(name: str) -> None:
    torch.manual_seed(0)
    problem, maximizer = inner_problem(), MAXIMIZERS[name]().double().eval()
    whole = maximizer(problem, Draws.of(seeded(3), 4)).adversarial
    for row in range(4):
        generator, rows = seeded(3), torch.tensor([row])
        image, label = problem.images[rows], problem.labels[rows]
        alone = InnerProblem(problem.classifier, CrossEntropy(), image, label, problem.threat)
        part = maximizer(alone, Draws(generator, rows, 4)).adversarial
        torch.testing.assert_close(part, whole[:, rows], rtol=0, atol=1e-12)


def test_all_maximizers_start_at_the_same_images() -> None:
    problem = inner_problem()
    made = [make().double().eval() for make in MAXIMIZERS.values()]
    starts = [m.trace(problem, Draws.of(seeded(3), 4)).points[0] for m in made if m.noise > 0]
    assert len(starts) >= 4
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert not torch.equal(starts[0], problem.images)


@pytest.mark.parametrize("name", MAXIMIZERS)
def test_the_classifier_is_asked_in_evaluation_mode_and_left_as_it_was(name: str) -> None:
    classifier = network()
    classifier.train()
    classifier[1].eval()
    problem = inner_problem(classifier=classifier)
    maximizer = MAXIMIZERS[name]().double().eval()
    one, same = (maximizer(problem, Draws.of(seeded(0), 4)).adversarial for _ in range(2))
    assert torch.equal(one, same)  # dropout would differ
    modes = [part.training for part in classifier]
    assert modes == [True, False, True, True, True]
    assert all(weight.grad is None for weight in classifier.parameters())


@pytest.mark.parametrize(
    ("maximizer", "pairs"),
    [(NoMaximizer(), 0), (PGD(7), 7), (RNNMaximizer(7).eval(), 7), (RNNMaximizer(7).train(), 8)],
)
def test_passes_are_counted(maximizer, pairs: int) -> None:
    problem = inner_problem()
    calls = []
    problem.classifier.register_forward_hook(lambda *_: calls.append(1))
    maximizer.double()(problem, Draws.of(seeded(0), 4))
    assert problem.pairs == pairs == len(calls)


def test_losses_are_those_of_the_iterates() -> None:
    problem = inner_problem()
    losses = PGD(5)(problem, Draws.of(seeded(0), 4)).losses
    assert losses.shape == (5, 4)
    for step in range(5):
        reached = PGD(step)(problem, Draws.of(seeded(0), 4)).adversarial[0]
        torch.testing.assert_close(losses[step], problem.value(reached))


def test_pgd_finds_the_corner_that_is_worst_for_a_linear_loss() -> None:
    problem = inner_problem(threat=LInfBall(0.05))
    problem.images = problem.images * 0.8 + 0.1  # the box is out of reach
    gradient = torch.randn_like(problem.images)
    problem.slope = lambda x: ((gradient * x).flatten(1).sum(1), gradient)  # type: ignore[method-assign]
    found = PGD(steps=9, noise=0.0)(problem, Draws.of(seeded(0), 4)).adversarial[0]
    torch.testing.assert_close(found, problem.images + 0.05 * gradient.sign())


def test_pgd_raises_the_loss() -> None:
    problem = inner_problem()
    found = PGD()(problem, Draws.of(seeded(0), 4)).adversarial[0]
    assert (problem.value(found) > problem.value(problem.images) + 0.1).all()


def test_draws_belong_to_instances() -> None:
    whole = Draws.of(seeded(5), 6)
    rows = torch.tensor([4, 1])
    part = Draws(seeded(5), rows, 6)
    assert torch.equal(part.normal(2, 3), whole.normal(2, 3)[rows])
    assert torch.equal(part.uniform(2), whole.uniform(2)[rows])
    twice = part.repeated(2).normal(3)
    assert torch.equal(twice, whole.repeated(2).normal(3)[torch.tensor([4, 1, 10, 7])])


def test_own_draws_do_not_depend_on_the_batch() -> None:
    rows = torch.tensor([4, 1, 3])
    whole, part = OwnDraws.seeded(5, torch.arange(6)), OwnDraws.seeded(5, rows)
    for _ in range(2):
        drawn = whole.normal(2, 3)
        assert torch.equal(part.normal(2, 3), drawn[rows])
        assert len(drawn.unique()) == drawn.numel()
    other = OwnDraws.seeded(6, torch.arange(6)).normal(2, 3)
    assert len(torch.cat([drawn, other]).unique()) == 2 * drawn.numel()
    one, two = OwnDraws.seeded(5, rows).repeated(2).normal(3).chunk(2)
    assert not (one == two).any()


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: PGD(steps=-1), "steps"),
        (lambda: PGD(rate=0), "rate"),
        (lambda: PGD(noise=-1), "noise"),
        (lambda: BacktrackingPGD(rho=1), "rho"),
        (lambda: BacktrackingPGD(c=0), "c"),
        (lambda: BacktrackingPGD(direction="up"), "direction"),  # type: ignore[arg-type]
        (lambda: BacktrackingPGD(halvings=-1), "halvings"),
        (lambda: BacktrackingPGD(rate=0), "rate"),
        (lambda: RNNMaximizer(scale=0), "scale"),
        (lambda: RNNMaximizer(hidden=0), "hidden"),
        (lambda: RNNMaximizer(normalization="l2"), "normalization"),  # type: ignore[arg-type]
        (lambda: GeneratorMaximizer(1, rate=0), "rate"),
        (lambda: GeneratorMaximizer(1, diversity=-1), "diversity"),
    ],
)
def test_bad_settings_are_named(build, field: str) -> None:
    with pytest.raises(InvalidInput, match=f"{field}"):
        build()

"""Algorithm 1 of RNN-Adv: one step by hand, resuming bit for bit, devices, averages, schedules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.augmentation import augmented
from lightning_modules.instances import InstanceStream
from lightning_modules.recipe import Recipe
from tests.lightning_modules.robust_toys import (
    EPS,
    IMAGES,
    LABELS,
    classifier,
    fit,
    rnn,
    robust,
    weights,
)
from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.maximizers import CrossEntropy, Draws, Trades
from zol2l.maximizers.base import NoMaximizer
from zol2l.maximizers.generator import GeneratorMaximizer
from zol2l.maximizers.pgd import PGD


class KilledError(BaseException):
    """Nothing after it runs."""


def first_batch(seed: int = 0) -> list[int]:
    return next(iter(InstanceStream(16, 4, seed)))


def test_one_update_is_that_of_algorithm_1_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """16 images in one batch of 4 a step: the first of four updates, by plain PyTorch."""
    job = robust(dropout=0.0, augment=False, epochs=1)
    record: list[torch.Tensor] = []
    original = job._update

    def recorded() -> None:
        original()
        record.append(weights(job))

    job._update = recorded  # type: ignore[method-assign]
    first: dict[str, float] = {}
    monkeypatch.setattr(job, "log", lambda name, value, **_: first.setdefault(name, float(value)))
    fit(job, tmp_path)
    assert len(record) == 4

    network, phi = classifier(0.0), rnn()
    rows = torch.tensor(first_batch())
    x, y = IMAGES[rows], LABELS[rows]
    noise = torch.randn(4, 1, 8, 8, generator=seeded(0))
    project = lambda image: torch.minimum(torch.maximum(image, x - EPS), x + EPS).clamp(0, 1)  # noqa: E731
    point, hidden = project(x + 0.001 * noise), torch.zeros(4 * 64, 10)
    total, losses = torch.zeros(()), []
    for t in range(3):
        seen = point.detach().requires_grad_()
        loss = cross_entropy(network(seen), y, reduction="sum")
        losses.append(loss.item() / 4)
        (g,) = torch.autograd.grad(loss, seen)
        g = g / g.abs().mean(dim=(1, 2, 3), keepdim=True)
        hidden = torch.tanh(g.view(-1, 1) @ phi.cell.weight_ih.T + hidden @ phi.cell.weight_hh.T)
        step = torch.tanh(hidden @ phi.readout.weight.T).view_as(x)
        point = project(point + 0.5 * EPS * step)
        total = total + (t + 1) * cross_entropy(network(point), y, reduction="sum")
    phi_gradient = torch.autograd.grad(total / 4, list(phi.parameters()))
    outer = cross_entropy(network(point.detach()), y)
    theta_gradient = torch.autograd.grad(outer, list(network.parameters()))
    ascent = torch.optim.Adam(phi.parameters(), lr=0.01, maximize=True)
    descent = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for player, gradients in ((phi, phi_gradient), (network, theta_gradient)):
        for weight, gradient in zip(player.parameters(), gradients, strict=True):
            weight.grad = gradient
    ascent.step()
    descent.step()
    both = [*network.state_dict().values(), *phi.state_dict().values()]
    wanted = torch.cat([v.flatten().double() for v in both])
    torch.testing.assert_close(record[0], wanted, rtol=1e-4, atol=1e-6)
    assert first["adv/loss"] == pytest.approx(outer.item(), rel=1e-4)
    assert first["adv/rise"] == pytest.approx(losses[2] - losses[0], rel=1e-3)


def killed(job: AdversarialTraining, folder: Path, update: int) -> None:
    """Let a job die in the middle of an update."""
    original = job._update

    def update_or_die() -> None:
        if job.updates == update:
            raise KilledError
        original()

    job._update = update_or_die  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        fit(job, folder)
    saved = torch.load(folder / "last.ckpt", weights_only=True)["done"]
    assert saved == (update * job.recipe.accumulate, update)


JOBS = {
    "rnn": robust,
    "trades": lambda: robust(objective=Trades(2.0), warmup=0.5, decay_at=[0.5]),
    "plain": lambda: robust(NoMaximizer()),
    "average": lambda: robust(PGD(2), ema=0.9, clip=0.1),
    "accumulated": lambda: robust(batch_size=2, accumulate=2),
    "generator": lambda: robust(generator(), CrossEntropy(clean=True)),
    "attacker": lambda: robust(frozen=True),
}


def generator() -> GeneratorMaximizer:
    torch.manual_seed(2)
    return GeneratorMaximizer(channels=1, classes=3, steps=2)


KILLS = [("rnn", 1), ("rnn", 7), *((name, 4) for name in JOBS)]


@pytest.mark.parametrize(("name", "update"), KILLS)
def test_killed_and_resumed_equals_uninterrupted(name: str, update: int, tmp_path: Path) -> None:
    whole, again = JOBS[name](), JOBS[name]()
    figures = fit(whole, tmp_path / "whole")
    killed(JOBS[name](), tmp_path / "killed", update)
    torch.manual_seed(99)
    assert fit(again, tmp_path / "killed") == figures
    assert torch.equal(weights(again), weights(whole))
    assert not torch.equal(weights(whole), weights(JOBS[name]()))


def test_a_job_killed_after_its_last_update_ends_as_it_was(tmp_path: Path) -> None:
    whole, again = robust(), robust()
    figures = fit(whole, tmp_path)
    assert fit(again, tmp_path) == figures and set(figures) == {"natural", "pgd10"}
    assert torch.equal(weights(again), weights(whole))


def two_processes(folder: Path, norm: str, dies: int = -1) -> list[torch.Tensor]:
    """The weights at both devices, where they did not die in the middle of an update."""
    folder.mkdir(exist_ok=True)
    module = "tests.lightning_modules.robust_ddp_job"
    command = [sys.executable, "-m", module, str(folder), norm, str(dies)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], timeout=240, capture_output=True, check=dies < 0
    )
    assert (done.returncode == 0) == (dies < 0)
    ranks = [folder / f"rank{r}.pt" for r in range(2)]
    return [torch.load(path, weights_only=True) for path in ranks if path.exists()]


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one_on_the_joined_batch(tmp_path: Path) -> None:
    first, second = two_processes(tmp_path, "none")
    assert torch.equal(first, second)
    one = robust(dropout=0.0, batch_size=4)
    fit(one, tmp_path / "one")
    torch.testing.assert_close(first, weights(one), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_processes_with_batch_norm_resume_exactly(tmp_path: Path) -> None:
    first, second = two_processes(tmp_path / "whole", "norm")
    assert torch.equal(first, second)
    assert two_processes(tmp_path / "killed", "norm", dies=5) == []
    assert torch.equal(two_processes(tmp_path / "killed", "norm")[0], first)


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    parts = robust(NoMaximizer(), dropout=0.0, augment=False, batch_size=2, accumulate=2)
    large = robust(NoMaximizer(), dropout=0.0, augment=False, batch_size=4)
    fit(parts, tmp_path / "parts")
    fit(large, tmp_path / "large")
    assert parts.updates == large.updates == 8
    torch.testing.assert_close(weights(parts), weights(large))


def test_a_frozen_classifier_is_left_alone_and_its_attacker_learns(tmp_path: Path) -> None:
    job = robust(frozen=True)
    fit(job, tmp_path)
    after, before = job.classifier.state_dict(), classifier().state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not torch.equal(job.maximizer.readout.weight, rnn().readout.weight)
    with pytest.raises(InvalidInput, match="frozen"):
        robust(PGD(), frozen=True)


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    job = robust(NoMaximizer(), ema=0.5)
    network = job.classifier
    assert job.result is not network
    seen, update = [], job._update

    def recorded() -> None:
        update()
        seen.append(network[0].weight.detach().clone())

    job._update = recorded  # type: ignore[method-assign]
    fit(job, tmp_path)
    wanted = seen[0]
    for weight in seen[1:]:
        wanted = 0.5 * wanted + 0.5 * weight
    torch.testing.assert_close(job.result[0].weight.detach(), wanted)
    assert robust().result is not None and robust(NoMaximizer()).average is None


def test_the_schedules_of_rate_and_radius() -> None:
    recipe = Recipe(epochs=10, batch_size=1, decay_at=[0.5, 0.75], warmup=0.2)
    rates = [recipe.rate(p) for p in (0.0, 0.49, 0.5, 0.75, 0.99)]
    assert rates == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    assert [recipe.radius(p) for p in (0.0, 0.1, 0.2, 1.0)] == pytest.approx([0, 0.5, 1, 1])


def test_the_radius_rises_during_warmup(tmp_path: Path) -> None:
    job, seen = robust(PGD(5), warmup=0.5, augment=False), []
    original = job.objective.outer

    def recorded(classify, images, adversarial, labels):
        seen.append((adversarial - images).abs().max().item())
        return original(classify, images, adversarial, labels)

    job.objective.outer = recorded  # type: ignore[method-assign]
    fit(job, tmp_path)
    wanted = [EPS * min(1, k / 4) for k in range(1, 9)]
    assert seen == pytest.approx(wanted, rel=1e-4)


def test_augmented_batches_depend_on_the_step_alone() -> None:
    draws = [Draws.of(seeded(s), 4) for s in (3, 3, 4)]
    one, same, other = (augmented(IMAGES[:4], d) for d in draws)
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_a_classifier_that_comes_in_evaluation_mode_is_trained(tmp_path: Path) -> None:
    job = robust(NoMaximizer())
    job.classifier.eval()
    fit(job, tmp_path)
    assert all(part.training for part in job.classifier.modules())
    frozen = robust(frozen=True)
    fit(frozen, tmp_path / "frozen")
    assert not any(part.training for part in frozen.classifier.modules())


def test_the_maximizers_gradient_is_clipped(tmp_path: Path) -> None:
    job, norms = robust(learner_clip=0.01), []
    original = job.optimizers

    def seen() -> object:
        found = [w.grad for w in job.maximizer.parameters() if w.grad is not None]
        norms.append(torch.cat([g.flatten() for g in found]).norm().item())
        return original()

    job.optimizers = seen  # type: ignore[method-assign]
    fit(job, tmp_path)
    assert max(norms) <= 0.01 * (1 + 1e-4)

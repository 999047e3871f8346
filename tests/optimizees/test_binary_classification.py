"""Binary classification: the formula by hand, its data, its minibatches and its splits."""

from __future__ import annotations

import math

import pytest
import torch

from tests.problems import normal, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import BinaryClassification, BinaryClassificationFamily, sample_datasets
from zol2l.optimizees.family import SPLITS

M, N, D, BATCH = 4, 12, 3, 5
DATA = sample_datasets(M, N, D, seed=0, dtype=torch.float64)
ROWS = torch.tensor([2, 0, 2])


def problem() -> BinaryClassification:
    return BinaryClassification(DATA, ROWS, BATCH)


def by_hand(dataset: int, samples: list[int], theta: list[float]) -> float:
    total = 0.0
    for n in samples:
        x, y = DATA.features[dataset, n].tolist(), DATA.labels[dataset, n].item()
        score = sum(a * b for a, b in zip(theta, x, strict=True))
        total += (y - 1 / (1 + math.exp(-score))) ** 2
    return total / len(samples)


def test_the_full_loss_by_hand() -> None:
    theta = normal(3, 2, D, seed=1)
    loss = problem()(theta).loss
    for b, dataset in enumerate(ROWS.tolist()):
        for n in range(2):
            expected = by_hand(dataset, list(range(N)), theta[b, n].tolist())
            assert loss[b, n].item() == pytest.approx(expected, rel=1e-12)


def test_a_minibatch_loss_by_hand_and_its_rows() -> None:
    step, theta = problem().at_step(seeded(2)), normal(3, 2, D, seed=3)
    assert step.samples.shape == (3, BATCH)
    loss = step(theta).loss
    for b, dataset in enumerate(ROWS.tolist()):
        expected = by_hand(dataset, step.samples[b].tolist(), theta[b, 1].tolist())
        assert loss[b, 1].item() == pytest.approx(expected, rel=1e-12)
    part = torch.tensor([2, 1])
    assert torch.allclose(step[part](theta[part]).loss, loss[part], rtol=1e-14)
    assert torch.allclose(problem()[part](theta[part]).loss, problem()(theta).loss[part])


def test_minibatches_are_uniform_and_drawn_from_the_generator() -> None:
    first, again = problem().at_step(seeded(4)), problem().at_step(seeded(4))
    assert torch.equal(first.samples, again.samples)
    assert not torch.equal(first.samples, problem().at_step(seeded(5)).samples)
    many = BinaryClassification(DATA, torch.zeros(2000, dtype=torch.int64), BATCH)
    counts = many.at_step(seeded(6)).samples.flatten().bincount(minlength=N).double()
    expected = 2000 * BATCH / N
    assert ((counts - expected).abs() <= 4 * math.sqrt(expected)).all()


def test_data_sets_are_separable_with_both_labels_in_zero_and_one() -> None:
    data = sample_datasets(3, 400, 4, seed=1, dtype=torch.float64)
    assert set(data.labels.unique().tolist()) == {0.0, 1.0}
    assert ((data.labels.mean(dim=1) - 0.5).abs() <= 4 * math.sqrt(0.25 / 400)).all()
    assert abs(data.features.mean().item()) <= 4 / math.sqrt(data.features.numel())
    assert data.features.std().item() == pytest.approx(1, abs=0.05)
    for x, y in zip(data.features, data.labels, strict=True):
        w = torch.zeros(4, dtype=torch.float64)  # a perceptron converges on separable data alone
        for _ in range(2000):
            wrong = ((x @ w > 0).double() != y).nonzero()[:, 0]
            if len(wrong) == 0:
                break
            w += (2 * y[wrong[0]] - 1) * x[wrong[0]]
        assert len(wrong) == 0


def family(seed: int = 0, train: int = 3, **options: object) -> BinaryClassificationFamily:
    settings = {"dimension": D, "samples": N, "batch_size": BATCH, "validation": 2, "test": 2}
    return BinaryClassificationFamily(train=train, seed=seed, **{**settings, **options})


def test_splits_differ_and_the_seed_decides_them() -> None:
    first, again, other = family(1), family(1), family(2)
    rows = torch.arange(2)
    starts = [family(1).optimizee(split, rows).start() for split in SPLITS]
    assert not any(torch.equal(a, b) for a in starts for b in starts if a is not b)
    for split in SPLITS:
        mine, same = first.optimizee(split, rows), again.optimizee(split, rows)
        assert torch.equal(mine.datasets.features, same.datasets.features)
        assert torch.equal(mine.start(), same.start())
        assert not torch.equal(mine.start(), other.optimizee(split, rows).start())


def test_families_of_neighbouring_seeds_share_no_data_set() -> None:
    every = torch.cat([family(s).optimizee("test", torch.arange(2)).start() for s in range(4)])
    assert len(every.unique(dim=0)) == 8


def test_dtype_is_the_one_asked_for() -> None:
    for name in ("float32", "float64"):
        made = family(dtype=name).optimizee("test", torch.arange(2))
        assert made(made.start()[:, None]).loss.dtype == getattr(torch, name)


@pytest.mark.parametrize("batch_size", [0, N + 1])
def test_an_impossible_minibatch_is_refused(batch_size: int) -> None:
    with pytest.raises(InvalidInput, match=rf"batch_size={batch_size}: .*{N}"):
        family(batch_size=batch_size)


def test_the_first_data_sets_of_a_split_do_not_depend_on_its_size() -> None:
    small, large = family(train=2), family(train=5)
    rows = torch.arange(2)
    one, two = (f.optimizee("train", rows) for f in (small, large))
    assert torch.equal(one.start(), two.start())
    assert torch.equal(one.datasets.features[:2], two.datasets.features[:2])

"""Splits of an attack family: disjoint, correctly classified, independent of their sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.problems import seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import AttackFamily, BlackBoxAttack
from zol2l.optimizees.family import SPLITS

COUNT, CLASSES = 40, 3


def victim() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES)).eval()


IMAGES = torch.rand(COUNT, 1, 2, 2, generator=seeded(1))
PREDICTED = victim()(IMAGES).argmax(dim=1)
WRONG = torch.arange(0, COUNT, 5)
LABELS = PREDICTED.scatter(0, WRONG, (PREDICTED[WRONG] + 1) % CLASSES)
CORRECT = COUNT - len(WRONG)


def family(train: int = 5, validation: int = 4, test: int = 6, **options: object) -> AttackFamily:
    return AttackFamily(victim(), IMAGES, LABELS, train, validation, test, **options)


def test_splits_are_disjoint_and_correctly_classified() -> None:
    for sizes in ((5, 4, 6), (CORRECT // 2, 1, 1), (1, 1, CORRECT // 2 - 1)):
        chosen = family(*sizes).chosen
        assert [len(chosen[split]) for split in SPLITS] == list(sizes)
        used = torch.cat(list(chosen.values())).tolist()
        assert len(set(used)) == len(used)
        assert not set(used) & set(WRONG.tolist())


@pytest.mark.parametrize("split", SPLITS)
def test_the_first_instances_of_a_split_do_not_depend_on_the_sizes(split: str) -> None:
    small, large = family(1, 1, 1), family(CORRECT // 2, 5, 8)
    assert torch.equal(small.chosen[split], large.chosen[split][:1])


def test_the_seed_alone_fixes_the_order() -> None:
    torch.manual_seed(4)
    first, again, other = family(seed=1), family(seed=1), family(seed=2)
    for split in SPLITS:
        assert torch.equal(first.chosen[split], again.chosen[split])
    assert not torch.equal(first.chosen["train"], other.chosen["train"])


@pytest.mark.parametrize(
    "sizes", [(CORRECT // 2 + 1, 1, 1), (1, CORRECT // 2, 1), (1, 1, CORRECT // 2), (1, 99, 1)]
)
def test_splits_that_do_not_fit_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidInput, match=f"{CORRECT} correctly classified"):
        family(*sizes)


@pytest.mark.parametrize("split", SPLITS)
def test_an_empty_split_is_refused(split: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{split}=0"):
        family(**{split: 0})


def test_rows_name_instances_and_may_repeat() -> None:
    whole = family(dtype="float32")
    rows = torch.tensor([2, 0, 2])
    problem = whole.optimizee("test", rows)
    chosen = whole.chosen["test"][rows]
    assert isinstance(problem, BlackBoxAttack)
    assert torch.equal(problem.images, IMAGES[chosen])
    assert torch.equal(problem.goal.labels, LABELS[chosen])
    assert problem.goal.targets is None
    clean = problem(torch.zeros(3, 1, 4))
    assert torch.equal(clean.prediction[:, 0], problem.goal.labels)
    assert not clean.success.any()


def test_targeted_attacks_aim_at_the_next_class_and_options_are_handed_on() -> None:
    problem = family(targeted=True, norm="l2", c=0.3).optimizee("train", torch.arange(5))
    assert torch.equal(problem.goal.targets, (problem.goal.labels + 1) % CLASSES)
    assert (problem.norm, problem.c) == ("l2", 0.3)


def test_float64_families_evaluate_in_float64() -> None:
    problem = family(dtype="float64").optimizee("test", torch.arange(2))
    assert problem.start().dtype == torch.float64
    assert problem(problem.start()[:, None]).loss.dtype == torch.float64


def test_families_of_both_dtypes_share_a_victim() -> None:
    network = victim()
    families = [
        AttackFamily(network, IMAGES, LABELS, 2, 2, 2, dtype=name)
        for name in ("float32", "float64", "float32")
    ]
    for each in families:
        problem = each.optimizee("test", torch.arange(2))
        assert problem(problem.start()[:, None]).loss.isfinite().all()

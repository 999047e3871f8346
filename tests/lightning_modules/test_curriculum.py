"""Problems that begin easier: what training sees, and that validation does not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_modules.curriculum import Curriculum
from lightning_modules.meta_training import MetaTraining
from tests.lightning_modules import toys
from tests.lightning_modules.toys import module, train, weights
from zol2l.errors import InvalidInput
from zol2l.optimizees import Quadratic, QuadraticFamily
from zol2l.optimizees.family import Split
from zol2l.types import Evaluation


class Weighted(Quadratic):
    """A quadratic times `weight`, which tells `asked` what it was at each call."""

    weight: float = 2.0
    asked: list[float]

    def __call__(self, theta: Tensor) -> Evaluation:
        self.asked.append(self.weight)
        return Evaluation(self.weight * super().__call__(theta).loss)

    def __getitem__(self, rows: Any) -> Weighted:
        part = super().__getitem__(rows)
        part.weight, part.asked = self.weight, self.asked
        return part


class WeightedFamily(QuadraticFamily):
    """Notes the weights that each split was asked with."""

    def optimizee(self, split: Split, rows: Tensor) -> Weighted:
        plain = super().optimizee(split, rows)
        problem = Weighted(plain.curvature, plain.optimum)
        problem.asked = self.asked.setdefault(split, [])
        return problem

    asked: dict[str, list[float]]


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> WeightedFamily:
    made = WeightedFamily(train=6, validation=3, test=3, dimension=4)
    made.asked = {}
    monkeypatch.setattr(toys, "FAMILY", made)
    return made


def trained(begin: float | None) -> MetaTraining:
    chosen = None if begin is None else Curriculum({"weight": begin}, until=0.5)
    return train(module(meta_steps=6, validate_every=2, curriculum=chosen))


def test_training_goes_to_the_problem_itself_and_validation_is_there(
    family: WeightedFamily,
) -> None:
    trained(0.02)
    expected = [0.02 * 100 ** min(1.0, step / 3) for step in range(6)]
    seen = sorted(set(family.asked["train"]))
    assert len(seen) == 4
    assert all(math.isclose(a, b) for a, b in zip(seen, expected[:4], strict=True))
    assert set(family.asked["validation"]) == {2.0}


@pytest.mark.usefixtures("family")
def test_one_that_begins_where_it_ends_changes_nothing() -> None:
    whole = weights(trained(None).learned)
    assert torch.equal(weights(trained(2.0).learned), whole)
    assert not torch.equal(weights(trained(0.02).learned), whole)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"begin": {"weight": 0.0}}, r"begin.weight=0.0: positive"),
        ({"begin": {"weight": 1.0}, "until": 0}, r"until=0: a fraction"),
        ({"begin": {"curvature": 1.0}}, r"begin='?curvature'?: a positive setting"),
        ({"begin": {"wieght": 1.0}}, r"begin='?wieght'?: a positive setting of Quad"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], told: str) -> None:
    problem = Quadratic(torch.ones(1, 2), torch.ones(1, 2))
    with pytest.raises(InvalidInput, match=told):
        Curriculum(**settings).ease(problem, 0.0)

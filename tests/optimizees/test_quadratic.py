"""Quadratics know their optimum; families of them are reproducible; users bring any function."""

from __future__ import annotations

import math

import pytest
import torch

from tests.problems import normal, quadratic
from zol2l.errors import InvalidInput
from zol2l.optimizees import FunctionOptimizee, QuadraticFamily
from zol2l.optimizees.family import SPLITS


def test_the_minimum_is_zero_at_the_optimum(dtype: torch.dtype) -> None:
    problem = quadratic(3, 4, dtype)
    assert torch.equal(problem(problem.optimum[:, None]).loss, torch.zeros(3, 1, dtype=dtype))
    assert (problem(normal(3, 20, 4, dtype=dtype)).loss > 0).all()
    assert torch.equal(problem.start(), torch.zeros(3, 4, dtype=dtype))


def test_the_value_by_hand() -> None:
    problem, theta = quadratic(2, 3), normal(2, 2, 3, seed=3)
    for b in range(2):
        a, c = problem.curvature[b].tolist(), problem.optimum[b].tolist()
        point = theta[b, 1].tolist()
        value = sum(k * (t - o) ** 2 / 2 for k, t, o in zip(a, point, c, strict=True))
        assert problem(theta).loss[b, 1].item() == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("split", SPLITS)
def test_the_first_quadratics_of_a_split_do_not_depend_on_its_size(split: str) -> None:
    sizes = {"train": 3, "validation": 3, "test": 3}
    rows = torch.arange(3)
    small = QuadraticFamily(**sizes, dimension=7).optimizee(split, rows)
    large = QuadraticFamily(**{**sizes, split: 50}, dimension=7).optimizee(split, rows)
    assert torch.equal(small.curvature, large.curvature)
    assert torch.equal(small.optimum, large.optimum)


def test_splits_and_seeds_differ_and_repeat() -> None:
    rows = torch.arange(2)
    optima = {
        (seed, split): QuadraticFamily(seed=seed).optimizee(split, rows).optimum
        for seed in (0, 1)
        for split in SPLITS
    }
    for key, value in optima.items():
        again = QuadraticFamily(seed=key[0]).optimizee(key[1], rows).optimum
        assert torch.equal(value, again)
        assert not any(torch.equal(value, v) for k, v in optima.items() if k != key)


def test_curvatures_span_the_condition_and_optima_are_normal() -> None:
    family = QuadraticFamily(train=400, dimension=25, condition=100.0, dtype="float64")
    problem = family.optimizee("train", torch.arange(400))
    exponent = problem.curvature.log() / math.log(100.0)
    count = exponent.numel()
    assert exponent.min() >= -1
    assert exponent.max() <= 0
    assert abs(exponent.mean().item() + 0.5) <= 4 * math.sqrt(1 / 12 / count)
    assert abs(problem.optimum.mean().item()) <= 4 / math.sqrt(count)
    assert problem.optimum.var().item() == pytest.approx(1, abs=4 * math.sqrt(2 / count))


def test_a_users_function_is_evaluated_point_by_point() -> None:
    starts, theta = normal(3, 4, seed=1), normal(3, 5, 4, seed=2)
    problem = FunctionOptimizee(lambda x: x.square().sum(dim=1), starts, smoothing=0.25)
    assert torch.equal(problem(theta).loss, theta.square().sum(dim=2))
    assert torch.equal(problem.start(), starts)
    part = problem[torch.tensor([2])]
    assert torch.equal(part.start(), starts[2:])
    assert part.smoothing == {torch.float32: 0.25, torch.float64: 0.25}


@pytest.mark.parametrize("function", [lambda x: x, lambda x: x.sum(), lambda x: x.sum(0)])
def test_a_function_that_does_not_return_one_value_a_point_is_refused(function) -> None:
    problem = FunctionOptimizee(function, normal(3, 4))
    with pytest.raises(InvalidInput, match=r"function=.*\(6,\)"):
        problem(normal(3, 2, 4))


def test_starts_must_be_a_matrix() -> None:
    with pytest.raises(InvalidInput, match=r"starts=\(4,\)"):
        FunctionOptimizee(lambda x: x.sum(dim=1), normal(4))


@pytest.mark.parametrize("smoothing", [0.0, -1e-3])
def test_a_users_bad_smoothing_is_refused(smoothing: float) -> None:
    with pytest.raises(InvalidInput, match="smoothing"):
        FunctionOptimizee(lambda x: x.sum(dim=1), normal(3, 4), smoothing)

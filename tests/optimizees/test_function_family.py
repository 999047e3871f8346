"""A user's function by its dotted path: starts, splits, arrays, and one error for what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from tests.functions import sphere, terraced_sphere
from zol2l.errors import InvalidInput
from zol2l.optimizees import BinaryClassificationFamily, FunctionFamily, QuadraticFamily
from zol2l.optimizees.family import SPLITS

SPHERE = "tests.functions.sphere"


def starts(family: FunctionFamily, split: str, count: int) -> torch.Tensor:
    return family.optimizee(split, torch.arange(count)).start()


def test_it_is_the_function_from_starts_in_the_box(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    family = FunctionFamily(SPHERE, 50, 5, 5, dimension=3, low=2.0, high=4.0, dtype=name)
    problem = family.optimizee("train", torch.arange(50))
    theta = problem.start()
    assert theta.dtype == dtype
    assert theta.shape == (50, 3)
    assert theta.min() >= 2
    assert theta.max() <= 4
    assert theta.max() - theta.min() > 1.5
    assert torch.equal(problem(theta[:, None]).loss[:, 0], sphere(theta))
    assert problem.smoothing[dtype] == {"float32": 1e-3, "float64": 1e-6}[name]
    smoother = FunctionFamily(SPHERE, smoothing=0.5, dtype=name)
    assert smoother.optimizee("test", torch.arange(2)).smoothing[dtype] == 0.5


def test_splits_are_disjoint_reproducible_and_do_not_depend_on_their_sizes() -> None:
    small, large = FunctionFamily(SPHERE, 4, 4, 4), FunctionFamily(SPHERE, 9, 9, 9)
    drawn = [starts(small, split, 4) for split in SPLITS]
    assert len({tuple(row) for row in torch.cat(drawn).tolist()}) == 12
    for split, mine in zip(SPLITS, drawn, strict=True):
        assert torch.equal(mine, starts(large, split, 9)[:4])
        assert not torch.equal(mine, starts(FunctionFamily(SPHERE, 4, 4, 4, seed=1), split, 4))


def test_rows_may_repeat() -> None:
    problem = FunctionFamily(SPHERE).optimizee("test", torch.tensor([2, 0, 2]))
    theta = problem.start()
    assert torch.equal(theta[0], theta[2])
    assert not torch.equal(theta[0], theta[1])


def test_numpy_functions_take_and_return_arrays(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    family = FunctionFamily("tests.functions.terraced_sphere", numpy=True, dtype=name)
    theta = starts(family, "test", 3)
    loss = family.optimizee("test", torch.arange(3))(theta[:, None].requires_grad_()).loss
    assert loss.dtype == dtype
    assert not loss.requires_grad
    assert loss[:, 0].tolist() == terraced_sphere(theta.numpy()).tolist()


def test_a_file_in_the_current_folder_is_found_and_its_contents_are_its_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, before = tmp_path / "mine_of_test.py", list(sys.path)
    identities = []
    for factor in (1, 2):
        path.write_text(f"def value(x):\n    return {factor} * x.sum(dim=-1)\n")
        family = FunctionFamily("mine_of_test.value", dimension=2)
        identities.append(family.identity)
        assert family.optimizee("test", torch.tensor([0])).function(torch.ones(1, 2)) == 2 * factor
        del sys.modules["mine_of_test"]
    assert sys.path == before
    assert identities[0] != identities[1]
    assert all(identities)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"function": "sphere"}, r"function=sphere: a dotted path"),
        ({"function": "tests.functions.spere"}, r"function=.*spere: no such function"),
        ({"function": "tests.functions.not_a_function"}, r"no such function in tests\.functions"),
        ({"function": "nowhere.value"}, r"function=nowhere\.value: No module named 'nowhere'"),
        ({"low": 2.0}, r"low=2\.0: at most high=1\.0"),
        ({"smoothing": 0.0}, r"smoothing=0\.0"),
        ({"dimension": 0}, r"dimension=0"),
        ({"test": 0}, r"test=0"),
    ],
)
def test_what_is_wrong_is_named(change: dict, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        FunctionFamily(**{"function": SPHERE, **change})


@pytest.mark.parametrize("family", [
    lambda d: FunctionFamily(SPHERE, dimension=d),
    lambda d: QuadraticFamily(dimension=d),
    lambda d: BinaryClassificationFamily(dimension=d),
])  # fmt: skip
@pytest.mark.parametrize("dimension", [10**10, 10**30])
def test_a_dimension_for_which_there_is_no_memory_is_refused(family, dimension: int) -> None:
    told = rf"^dimension={dimension}: \d+ instances \(test\) of \d+ numbers need "
    with pytest.raises(
        InvalidInput, match=told + r".* are free; take a smaller one, or fewer with"
    ):
        family(dimension).optimizee("test", torch.arange(2))

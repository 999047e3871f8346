"""What functions may answer: converted where it is plain, else one clear word."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.methods import composed
from tests.problems import normal, quadratic, seeded
from zol2l.errors import InvalidInput
from zol2l.optimizees import FunctionOptimizee, on_arrays
from zol2l.oracle import Oracle, evaluate_in_chunks
from zol2l.run import run
from zol2l.sampling import GaussianSampling
from zol2l.types import Evaluation
from zol2l.updates import SGD
from zol2l.zo_lstm import ZOLSTM

B, D, Q = 3, 4, 5
STEPS = 10
GOOD: dict[str, Callable[[Tensor], Any]] = {
    "float64": lambda x: x.double(),
    "float32": lambda x: x.float(),
    "a column": lambda x: x[:, None],
    "array": lambda x: x.numpy().copy(),
    "big-endian array": lambda x: x.numpy().astype(">f8"),
    "backwards": lambda x: x.numpy()[::-1].copy()[::-1],
    "list": lambda x: x.tolist(),
    "numbers in a list": list,
}
ROUNDED: dict[str, Callable[[Tensor], Any]] = {
    "float16": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "int64": lambda x: x.long(),
    "bool": lambda x: x > 1,
    "uint8 array": lambda x: x.numpy().astype(np.uint8),
    "half array": lambda x: x.numpy().astype(np.float16),
}
BAD: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "None": (lambda x: None, "answered None"),
    "a scalar": (lambda x: x.sum(), "answered one number for all"),
    "a float": (lambda x: 1.0, "answered one number for all"),
    "complex": (lambda x: x + 1j, "answered a Tensor of torch.complex"),
    "complex array": (lambda x: x.numpy() + 1j, "answered a ndarray of complex"),
    "too few": (lambda x: x[:-1], "answered numbers of shape"),
    "too many": (lambda x: x[:, None].repeat(1, 2), "answered numbers of shape"),
    "words": (lambda x: ["a"] * len(x), "answered a list"),
    "holes": (lambda x: [None] * len(x), "answered a list"),
    "a dictionary": (lambda x: {"loss": x}, "answered a dict"),
    "a masked array": (lambda x: np.ma.masked_array(x.numpy()), "answered a MaskedArray"),
    "sparse": (lambda x: x.to_sparse(), "answered a sparse or meta Tensor"),
    "meta": (lambda x: x.to("meta"), "answered a sparse or meta Tensor"),
    "an object": (lambda x: SimpleNamespace(logits=x), "answered a SimpleNamespace"),
}


def squares(x: Tensor) -> Tensor:
    return (x - 1).square().sum(dim=-1)


def optimized(function: Callable[[Any], Any], dtype: torch.dtype = torch.float64) -> Any:
    problem = FunctionOptimizee(function, torch.zeros(B, D, dtype=dtype))
    return run(composed(GaussianSampling(Q), SGD(0.4)), Oracle(problem, chunk=7), STEPS, seeded())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", GOOD)
def test_a_function_may_answer_in_any_plain_form(kind: str, dtype: torch.dtype) -> None:
    found, plain = optimized(lambda x: GOOD[kind](squares(x)), dtype), optimized(squares, dtype)
    assert found.loss.dtype == dtype
    exact = not (kind == "float32" and dtype == torch.float64)
    assert torch.equal(found.loss, plain.loss) or not exact
    assert (found.loss[:, -1] < found.loss[:, 0]).all()


@pytest.mark.parametrize("kind", ROUNDED)
def test_coarse_numbers_are_taken_for_what_they_say(kind: str) -> None:
    problem = FunctionOptimizee(lambda x: ROUNDED[kind](squares(x)), torch.zeros(B, D))
    points = normal(B, 6, D, dtype=torch.float32)
    expected = torch.as_tensor(ROUNDED[kind](squares(points.flatten(0, 1))))
    seen = Oracle(problem).query(points).loss
    assert torch.equal(seen.flatten(), expected.float())


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_value_a_point_is_one_clear_word(kind: str) -> None:
    answer, told = BAD[kind]

    def cost_of_it(x: Tensor) -> Any:
        return answer(squares(x))

    with pytest.raises(InvalidInput, match=r"^function=cost_of_it: answered .* \(6,\)") as caught:
        optimized(cost_of_it)
    assert told in str(caught.value)


def test_a_function_of_single_numbers_is_named() -> None:
    for function in (math.sin, on_arrays(math.sin)):
        with pytest.raises(InvalidInput, match=r"^function=sin: raised \w+: only ") as caught:
            optimized(function)
        assert "one real number a point, (6,)" in str(caught.value)


def test_an_error_of_the_functions_own_is_kept_and_placed() -> None:
    def simulated(x: Any) -> Any:
        return 1 / 0 if x is not None else x

    line = simulated.__code__.co_firstlineno + 1
    for function in (simulated, on_arrays(simulated)):
        with pytest.raises(InvalidInput) as caught:
            optimized(function)
        told = f"raised ZeroDivisionError: division by zero (test_answers.py, line {line})"
        assert told in str(caught.value)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert "1 / 0" in "".join(traceback.format_exception(caught.value))


def test_memory_that_a_function_was_not_given_is_not_its_answer() -> None:
    def greedy(x: Tensor) -> Tensor:
        return torch.empty(2**60)

    with pytest.raises(InvalidInput, match=r"^memory="):
        optimized(greedy)


def buffered(kind: str) -> Callable[[Any], Any]:
    """`squares` in the same memory each time."""
    array, tensor = np.zeros(1000), torch.zeros(1000, dtype=torch.float64)

    def of_arrays(x: np.ndarray) -> np.ndarray:
        return np.square(x - 1).sum(axis=1, out=array[: len(x)])

    def of_tensors(x: Tensor) -> Tensor:
        return torch.sum((x - 1).square(), dim=1, out=tensor[: len(x)])

    return of_tensors if kind == "tensor" else on_arrays(of_arrays)


@pytest.mark.parametrize("kind", ["tensor", "array"])
def test_answers_in_the_same_buffer_are_those_of_their_own_call(kind: str) -> None:
    found, plain = optimized(buffered(kind)), optimized(squares)
    assert len(set(found.loss[0].tolist())) == STEPS + 1
    assert torch.allclose(found.loss, plain.loss, rtol=1e-12)


class Reusing(type(quadratic(1, 1))):
    """A problem of the user's own that answers in one buffer."""

    memory = torch.zeros(100, dtype=torch.float64)

    def __call__(self, theta: Tensor) -> Evaluation:
        loss = super().__call__(theta).loss
        answer = self.memory[: loss.numel()].view(loss.shape)
        return Evaluation(answer.copy_(loss))


def test_so_are_those_of_a_problem_of_ones_own() -> None:
    plain = quadratic(B, D)
    problem = Reusing(plain.curvature, plain.optimum)
    mine, theirs = (
        run(composed(GaussianSampling(Q), SGD(1.0)), Oracle(p, chunk=7), STEPS, seeded())
        for p in (problem, plain)
    )
    assert torch.equal(mine.loss, theirs.loss)


def test_a_problem_of_ones_own_must_answer_a_loss_for_each_point() -> None:
    class Summing(type(quadratic(1, 1))):
        def __call__(self, theta: Tensor) -> Any:
            return Evaluation(super().__call__(theta).loss.sum(dim=0))

    plain = quadratic(B, D)
    with pytest.raises(InvalidInput, match=r"optimizee=Summing: must answer .* \(3, 2\)"):
        evaluate_in_chunks(Summing(plain.curvature, plain.optimum), normal(B, 2, D), None)


@pytest.mark.parametrize("kind", ["tensor", "array"])
def test_a_function_that_writes_into_its_points_harms_nothing(kind: str) -> None:
    def writing(x: Any) -> Any:
        x -= 1
        x *= x
        return x.sum(1)

    function = writing if kind == "tensor" else on_arrays(writing)
    assert torch.allclose(optimized(function).loss, optimized(squares).loss, rtol=1e-12)


@pytest.mark.parametrize("shape", [(0, D), (B, 0)])
def test_a_problem_has_an_instance_and_a_variable(shape: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="at least one instance and one variable"):
        Oracle(FunctionOptimizee(squares, torch.zeros(shape)))


def test_starts_may_be_an_array() -> None:
    problem = FunctionOptimizee(squares, np.zeros((B, D), dtype=np.float32))
    assert problem.start().dtype == torch.float32
    for wrong in (None, "zeros", np.zeros((B, D), dtype=complex), np.zeros((B, D), dtype=int)):
        with pytest.raises(InvalidInput, match=r"^starts="):
            FunctionOptimizee(squares, wrong)


def test_starts_are_copied() -> None:
    starts = torch.ones(B, D)
    problem = FunctionOptimizee(squares, starts)
    starts.fill_(9)
    assert (problem.start() == 1).all()


@pytest.mark.parametrize("options", [{"budget": 10**30}, {"budget": "30"}, {"chunk": 1.5}], ids=str)
def test_an_oracles_settings_are_whole_numbers(options: dict[str, Any]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(InvalidInput, match=f"^{name}={value}: at least 1"):
        Oracle(quadratic(B, D), **options)
    for steps in (1.5, "3", True):
        with pytest.raises(InvalidInput, match=f"^steps={steps}: at least 1"):
            run(composed(GaussianSampling(Q), SGD(1.0)), Oracle(quadratic(B, D)), steps, seeded())
    with pytest.raises(InvalidInput, match=r"^directions=1\.5: at least 1"):
        GaussianSampling(1.5)


def test_a_learned_optimizer_takes_the_type_of_the_start() -> None:
    losses = {}
    for dtype in (torch.float32, torch.float64, torch.float32):
        torch.manual_seed(0)
        problem = FunctionOptimizee(squares, torch.zeros(B, D, dtype=dtype))
        losses[dtype] = run(ZOLSTM(Q), Oracle(problem), STEPS, seeded()).loss
        assert losses[dtype].dtype == dtype and losses[dtype].isfinite().all()

"""Any Python function of the user's, from random start points, named on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from zol2l.errors import InvalidInput, require
from zol2l.optimizees.family import Split
from zol2l.optimizees.function import FunctionOptimizee, on_arrays
from zol2l.optimizees.synthetic_families import RandomFamily
from zol2l.storage.code import code_of


class FunctionFamily(RandomFamily):
    """`function`, a dotted path, from starts drawn uniformly from [low, high]^D.

    An instance is a start point. The function takes points (m, D) and returns values (m,): torch
    tensors, or NumPy arrays with `numpy`. It needs no gradient; a learned optimizer is trained on
    one without by `meta_gradient=coordinatewise`. `smoothing` is mu (None: FunctionOptimizee's
    default). `identity` is that of the function's code, so that results are not taken for those of
    a function that was edited since.
    """

    name = "function"

    def __init__(
        self,
        function: str,
        train: int = 100,
        validation: int = 20,
        test: int = 100,
        dimension: int = 10,
        low: float = -1.0,
        high: float = 1.0,
        smoothing: float | None = None,
        numpy: bool = False,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        super().__init__(train, validation, test, dimension, seed, dtype)
        require(low <= high, "low", low, f"at most high={high}")
        valid = smoothing is None or smoothing > 0
        require(valid, "smoothing", smoothing, "a step mu > 0, or null")
        found = imported_function(function)
        self.function = on_arrays(found) if numpy else found
        self.identity = code_of(function)
        self.low, self.high, self.smoothing = low, high, smoothing

    def optimizee(self, split: Split, rows: Tensor) -> FunctionOptimizee:
        draws = self.uniform(split, self.dimension)
        starts = self.low + (self.high - self.low) * draws
        return FunctionOptimizee(self.function, starts[rows], self.smoothing)


def imported_function(path: str) -> Callable[..., Any]:
    """The function at a dotted path, of an installed package or of a file in this folder."""
    module, _, name = path.rpartition(".")
    allowed = "a dotted path, as rosenbrock.value for `value` in ./rosenbrock.py"
    require(module != "", "function", path, allowed)
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(import_module(module), name, None)
    except ImportError as error:
        raise InvalidInput("function", path, f"{error}; {allowed}") from error
    finally:
        sys.path.remove(here)
    if not callable(function):
        raise InvalidInput("function", path, f"no such function in {module}")
    return function  # type: ignore[no-any-return]

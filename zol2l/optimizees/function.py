"""Any function a user brings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Self

import torch
from torch import Tensor

from zol2l.answers import read, values_of
from zol2l.errors import require
from zol2l.types import Evaluation, Optimizee

FLOATING = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def on_arrays(function: Callable[[Any], Any]) -> Callable[[Tensor], Any]:
    """A function of NumPy arrays (m, D) -> (m,) as one of tensors. It has no gradient."""

    @wraps(function)
    def values(points: Tensor) -> Any:
        return function(points.detach().cpu().numpy())

    return values


class FunctionOptimizee(Optimizee):
    """Minimize `function`: points (m, D) -> values (m,), from each row of `starts` (B, D), a tensor
    or an array.

    The rows are B independent runs on the same function. `smoothing` is mu; the defaults suit
    functions that vary on the scale of 1.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Any],
        starts: Any,
        smoothing: float | None = None,
    ) -> None:
        starts = read("starts", starts, "a matrix of start points (B, D)")
        require(starts.ndim == 2, "starts", tuple(starts.shape), "a matrix of start points (B, D)")
        valid = smoothing is None or smoothing > 0
        require(valid, "smoothing", smoothing, "a smoothing parameter mu > 0, or None")
        require(starts.dtype in FLOATING, "starts", starts.dtype, "float32 or float64")
        self.function = function
        self.starts: Tensor = starts.clone()
        self.instances, self.dimension = starts.shape
        self._mu = smoothing
        self.smoothing = {torch.float32: smoothing or 1e-3, torch.float64: smoothing or 1e-6}

    def __call__(self, theta: Tensor) -> Evaluation:
        values = values_of(self.function, theta.flatten(0, 1))
        return Evaluation(values.view(theta.shape[:2]))

    def start(self) -> Tensor:
        return self.starts.clone()

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(self.function, self.starts[rows], self._mu)

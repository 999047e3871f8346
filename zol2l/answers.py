"""What functions and victims of the user's answer: a tensor as it is wanted, or one clear word."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zol2l.errors import LARGEST, InvalidInput, require
from zol2l.machine.memory import failures_told
from zol2l.storage.code import INSTALLED

OURS = Path(__file__).parent
FLOATS = (np.float16, np.float32, np.float64)
KINDS = "biuf"
"""NumPy's kinds of real numbers: bool, whole numbers with and without sign, floating point."""


def values_of(function: Callable[[Any], Any], points: Tensor) -> Tensor:
    """Values (m,) of a function at points (m, D), in the type and on the device of the points.

    The function may answer real numbers of any type as a tensor, an array or a list, (m,) or
    (m, 1). It is given points of its own, so that one that writes into them harms nothing.
    Raises `InvalidInput`, which names the function, what it answered and what is wanted; an error
    of the function's own is its cause.
    """
    wanted = f"it must answer one real number a point, ({len(points)},)"
    values = _answer("function", function, points.clone(), wanted).to(points)
    if values.shape == (len(points), 1):
        values = values[:, 0]
    fits = values.shape == (len(points),)
    require(fits, "function", _name(function), f"answered {_shape(values)}; {wanted}")
    return values


def scores_of(victim: Callable[[Tensor], Any], images: Tensor) -> Tensor:
    """Scores (m, classes) of a victim for images (m, C, H, W), as `values_of` takes answers, but in
    the finer type of the images' and the answer's: two classes that the victim tells apart must not
    become one. Whole numbers are float64.

    The images may be written into: give copies of those that are still needed.
    """
    wanted = f"it must answer a logit for each of two classes or more, ({len(images)}, classes)"
    scores = _answer("victim", victim, images, wanted)
    own = scores.dtype if scores.is_floating_point() else torch.float64
    scores = scores.to(torch.promote_types(own, images.dtype))
    one = scores.shape in ((len(images),), (len(images), 1))
    if one:
        wanted = f"{wanted}; one logit z an image is torch.stack([-z, z], dim=1)"
    fits = scores.ndim == 2 and len(scores) == len(images) and not one and scores.shape[1] > 1
    require(fits, "victim", _name(victim), f"answered {_shape(scores)}; {wanted}")
    return scores


def read(field: str, given: Any, allowed: str) -> Tensor:
    """The tensor that `given` is, or a new one of what NumPy reads as an array of real numbers.
    Anything else is refused under the name `field`.
    """
    found = _numbers(given)
    if found is None:
        raise InvalidInput(field, _kind(given), allowed)
    return found


def _answer(called: str, asked: Callable[[Any], Any], points: Tensor, wanted: str) -> Tensor:
    """What `asked` says of `points`, on their device."""
    try:
        with failures_told():
            answer = asked(points)
    except InvalidInput:
        raise
    except Exception as error:
        shown = f"{tuple(points.shape)} of {points.dtype}"
        told = f"raised {_told(error)} when it was shown {shown}; {wanted}"
        raise InvalidInput(called, _name(asked), told) from error
    numbers = _numbers(answer)
    if numbers is None or numbers.is_meta != points.is_meta:
        raise InvalidInput(called, _name(asked), f"answered {_kind(answer)}; {wanted}")
    return numbers.to(points.device)


def _numbers(given: Any) -> Tensor | None:
    if isinstance(given, Tensor):
        dense = given.layout == torch.strided and not given.is_quantized
        return given if dense and not given.is_complex() else None
    if isinstance(given, np.ma.MaskedArray):
        return None
    try:
        array = np.asarray(given)
    except Exception:  # NumPy raises many kinds, and an object's own conversion any
        return None
    if array.dtype.kind not in KINDS:
        return None
    if array.dtype.kind == "b" or array.dtype.type in FLOATS:
        own = array.dtype.type
    else:
        whole = array.dtype.kind != "f" and (array.size == 0 or array.max() <= LARGEST)
        own = np.int64 if whole else np.float64
    return torch.from_numpy(array.astype(own))


def _kind(given: Any) -> str:
    """What something that is no array of real numbers is called."""
    if given is None:
        return "None"
    odd = isinstance(given, Tensor) and not given.is_complex()
    kind = "sparse or meta Tensor" if odd else type(given).__name__
    dtype = getattr(given, "dtype", None)
    return f"a {kind}" + (f" of {dtype}" if dtype is not None else "")


def _shape(answer: Tensor) -> str:
    return "one number for all" if answer.ndim == 0 else f"numbers of shape {tuple(answer.shape)}"


def _name(asked: object) -> str:
    named = getattr(asked, "__qualname__", type(asked).__name__)
    return str(named).rpartition("<locals>.")[2]


def _told(error: Exception) -> str:
    """An error in a line, with the place in the user's own code that it comes from."""
    first = next(iter(str(error).splitlines()), "")
    frames = traceback.extract_tb(error.__traceback__)
    places = (OURS, *INSTALLED)
    own = [f for f in frames if not any(Path(f.filename).is_relative_to(p) for p in places)]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {first}{where}" if first else f"{type(error).__name__}{where}"

"""What attacks on images have in common: pixels, what is wanted, and how the victim is asked."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor

from zol2l.answers import read, scores_of
from zol2l.errors import InvalidInput, require
from zol2l.optimizees.goals import Goal, log_probabilities
from zol2l.types import Optimizee

EXACT = (torch.float32, torch.float64)
"""Types in which a perturbed image can be kept within 1e-6 of a ball and of [0, 1]."""
ROUNDING = 1e-6
"""Pixels this far outside of [0, 1] are a resize's rounding, and are clipped."""


class ImageAttack(Optimizee):
    """A problem about images (B, C, H, W) in [0, 1], a victim and a goal for each image.

    victim: images (m, C, H, W) -> logits (m, classes), used as it is.
    """

    def __init__(self, victim: Callable[[Tensor], Any], images: Tensor, goal: Goal) -> None:
        self.images = pixels(images)
        self.goal = checked_goal(goal, self.images)
        self.victim, self.instances = victim, len(self.images)
        self.largest = {name: int(classes.max()) for name, classes in self.goal.named().items()}
        self.classes: set[int] = set()
        """How many the victim answers, once that is seen: one number, which parts share."""

    def scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities (B, n, classes) and predicted classes (B, n) of images x (B, n, C H W),
        one query each.
        """
        shown = x.unflatten(-1, self.images.shape[1:]).flatten(0, 1)
        logits = scores_of(self.victim, shown)
        self._require_classes(logits.shape[1])
        prediction = logits.argmax(dim=-1).view(x.shape[:2])
        return log_probabilities(logits).unflatten(0, x.shape[:2]), prediction

    def _require_classes(self, count: int) -> None:
        if count in self.classes:
            return
        self.classes.add(count)
        told = " and ".join(map(str, sorted(self.classes)))
        require(len(self.classes) == 1, "victim", f"{told} classes", "as many for every image")
        for name, largest in self.largest.items():
            allowed = f"below the {count} classes that the victim answers"
            require(largest < count, name, largest, allowed)

    def __getitem__(self, rows: Any) -> Self:
        part = copy.copy(self)
        part.images, part.goal = self.images[rows], self.goal[rows]
        part.instances = len(part.images)
        return part


def pixels(images: Any) -> Tensor:
    """A copy of images (B, C, H, W), a tensor or an array, with pixels in [0, 1]: what rounding has
    moved outside is clipped, anything else is refused.
    """
    given = read("images", images, "a batch (B, C, H, W)")
    require(given.ndim == 4, "images", tuple(given.shape), "a batch (B, C, H, W)")
    require(len(given) > 0, "images", 0, "at least one")
    require(given.numel() > 0, "images", tuple(given.shape), "at least one pixel each")
    allowed = "torch.float32 or torch.float64, pixels in [0, 1]"
    require(given.dtype in EXACT, "images", given.dtype, allowed)
    low, high = given.min().item(), given.max().item()
    valid = low >= -ROUNDING and high <= 1 + ROUNDING
    wrong = high if low >= -ROUNDING else low
    require(valid, "images", f"a pixel of {wrong:.9g}", "pixels must lie in [0, 1]")
    return given.clamp(0, 1)


def checked_goal(goal: Goal, images: Tensor) -> Goal:
    """The goal with a label, and a target where there are any, for each of the images (B, C, H, W):
    tensors, arrays or lists of whole numbers become int64 on the images' device.
    """
    labels = _classes("labels", goal.labels, images)
    if goal.targets is None:
        return Goal(labels)
    targets = _classes("targets", goal.targets, images)
    for row in (labels == targets).nonzero()[:, 0].tolist():
        told = f"{int(targets[row])} for image {row}"
        raise InvalidInput("targets", told, "another class than the image's label")
    return Goal(labels, targets)


def _classes(field: str, given: Any, images: Tensor) -> Tensor:
    allowed = f"one class an image, ({len(images)},)"
    classes = read(field, given, allowed)
    one_hot = classes.ndim == 2 and len(classes) == len(images)
    remedy = "; of one-hot rows take .argmax(dim=1)" if one_hot else ""
    fits = classes.shape == images.shape[:1]
    require(fits, field, f"of shape {tuple(classes.shape)}", allowed + remedy)
    counted = not (classes.dtype.is_floating_point or classes.dtype == torch.bool)
    require(counted, field, f"of {classes.dtype}", "classes as whole numbers, such as .long()")
    lowest = int(classes.min())
    require(lowest >= 0, field, lowest, "classes are counted from 0")
    return classes.to(images.device, torch.int64, copy=True)

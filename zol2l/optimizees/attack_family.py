"""The family of attacks on one victim: an instance is a test image that it classifies correctly."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.chunks import predictions
from zol2l.errors import require
from zol2l.optimizees.black_box_attack import BlackBoxAttack, Norm, Parameterization, check_attack
from zol2l.optimizees.family import OptimizeeFamily, Split, check_sizes, dtype_named
from zol2l.optimizees.goals import Goal
from zol2l.storage.weights_file import module_identity
from zol2l.types import Optimizee


class AttackFamily(OptimizeeFamily):
    """Disjoint sets of correctly classified images, in a random order fixed by `seed`.

    Training instances are taken from the front of that order, test instances from its back,
    validation instances from the middle, so that a split's images do not depend on its size.
    `targeted` attacks aim at the class after the true one. The last five are BlackBoxAttack's.
    """

    name = "black_box_attack"

    def __init__(
        self,
        victim: nn.Module,
        images: Tensor,
        labels: Tensor,
        train: int = 100,
        validation: int = 20,
        test: int = 100,
        targeted: bool = False,
        seed: int = 0,
        dtype: str = "float32",
        norm: Norm = "l1",
        c: float = 0.1,
        confidence: float = 0.0,
        parameterization: Parameterization = "clipped",
        resize: Sequence[int] | None = None,
    ) -> None:
        check_attack(norm, c, confidence, parameterization, resize)
        super().__init__(train, validation, test)
        self.dtype = dtype_named(dtype)
        correct = correctly_classified(victim.eval(), images, labels)
        middle, end = len(correct) // 2, len(correct)
        fits = train <= middle and middle + validation <= end - test
        allowed = f"train + validation + test within the {end} correctly classified images"
        require(fits, "{train,validation,test}", (train, validation, test), allowed)
        generator = torch.Generator().manual_seed(seed)
        order = correct[torch.randperm(end, generator=generator)]
        self.chosen: dict[Split, Tensor] = {
            "train": order[:train],
            "validation": order[middle : middle + validation],
            "test": order.flip(0)[:test],
        }
        self._victim = copy.deepcopy(victim).to(self.dtype).eval()
        self.make: Callable[..., Optimizee] = partial(
            BlackBoxAttack, norm=norm, c=c, confidence=confidence,
            parameterization=parameterization, resize=resize,
        )  # fmt: skip
        self.identity = module_identity(victim)
        self.images, self.labels, self.targeted = images, labels, targeted

    @classmethod
    def check_settings(
        cls,
        *,
        train: int = 100,
        validation: int = 20,
        test: int = 100,
        dtype: str = "float32",
        norm: Norm = "l1",
        c: float = 0.1,
        confidence: float = 0.0,
        parameterization: Parameterization = "clipped",
        resize: Sequence[int] | None = None,
        **_: Any,
    ) -> None:
        """Refuse what can be refused before the data and the victim are there."""
        check_sizes({"train": train, "validation": validation, "test": test})
        dtype_named(dtype)
        check_attack(norm, c, confidence, parameterization, resize)

    @property
    def victim(self) -> nn.Module:
        """The network under attack, on the family's device."""
        return self._victim.to(self.device)

    def examples(self, split: Split, rows: Tensor) -> tuple[Tensor, Goal]:
        """Images (B, C, H, W) of the instances `rows` (B,), and what an attack on them is after, on
        the family's device.
        """
        images, goal = self.drawn(split, rows)
        return images.to(self.device), goal.map(lambda x: x.to(self.device))

    def drawn(self, split: Split, rows: Tensor) -> tuple[Tensor, Goal]:
        """The same on the CPU, where problems are made."""
        chosen = self.chosen[split][rows]
        labels = self.labels[chosen]
        classes = int(self.labels.max()) + 1
        targets = (labels + 1) % classes if self.targeted else None
        return self.images[chosen].to(self.dtype), Goal(labels, targets)

    def optimizee(self, split: Split, rows: Tensor) -> Optimizee:
        images, goal = self.drawn(split, rows)
        return self.make(self.victim, images, goal.labels, targets=goal.targets)


def correctly_classified(victim: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Indices of the images whose predicted class is their label."""
    return (predictions(victim, images) == labels).nonzero()[:, 0]

"""Which adversarial images reach their goal at another network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zol2l.evaluation.attacking import NamedAttack, transferred
from zol2l.optimizees.goals import Goal
from zol2l.storage.tensor_files import save_tensors

NAMED = NamedAttack(attack=None, fingerprint="f")  # type: ignore[arg-type]


class Table(nn.Module):
    """Image number -> class, as told."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__()
        self.classes = torch.tensor(classes)

    def forward(self, images: Tensor) -> Tensor:
        chosen = self.classes[images.flatten().long()]
        return nn.functional.one_hot(chosen, 4).double()


def kept(folder: Path, victim: list[int], **more: Any) -> None:
    """Four clean images 0-3 of class 0, their adversarial ones 4-7, and what the victim saw."""
    numbers = torch.arange(8.0).view(8, 1, 1, 1)
    tensors = {"clean": numbers[:4], "adversarial": numbers[4:].clone()}
    seen = {"predictions": torch.tensor(victim), "labels": torch.zeros(4, dtype=torch.int64)}
    path = folder / "parts/a-f.images.safetensors"
    save_tensors(path, {**{k: v.contiguous() for k, v in tensors.items()}, **seen, **more})


@pytest.mark.parametrize(
    ("targets", "share"),
    [(None, 2 / 2), (torch.tensor([2, 2, 2, 2]), 1 / 2)],
)
def test_the_goal_counts_at_the_other_network(
    tmp_path: Path, targets: Tensor | None, share: float
) -> None:
    """The victim is led to class 2 by images 0, 1, 2; the other does not know image 2, and takes
    image 0 for class 1 and image 1 for class 2.
    """
    more = {} if targets is None else {"targets": targets}
    kept(tmp_path, [2, 2, 2, 0], **more)
    other = Table([0, 0, 3, 0, 1, 2, 2, 2])
    assert transferred(tmp_path / "parts", {"a": NAMED}, other) == {"a": share}


def test_a_goal_is_reached_by_losing_the_label_or_by_finding_the_target() -> None:
    labels, predicted = torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3])
    assert Goal(labels).reached(predicted).tolist() == [False, True, True]
    assert Goal(labels, torch.tensor([1, 2, 2])).reached(predicted).tolist() == [False, True, False]

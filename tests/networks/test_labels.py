"""Labels are a victim's classes, or are refused with what to do about it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput
from zol2l.networks.labels import check_labels

NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(4, 5))


def data(test: list[int], train: tuple[int, ...] = (), alphabetical: tuple[str, ...] = ()):
    images = [torch.zeros(len(labels), 1, 2, 2) for labels in (train, test)]
    labels = [torch.tensor(labels, dtype=torch.int64) for labels in (train, test)]
    return ImageData(images[0], labels[0], images[1], labels[1], alphabetical=alphabetical)


@pytest.mark.parametrize("comes_trained", [True, False])
def test_a_label_beyond_the_classes_is_refused(comes_trained: bool) -> None:
    check_labels(NETWORK, data([0, 4], (4, 1)), comes_trained)
    for wrong in (data([0, 5]), data([0], (5,))):
        with pytest.raises(InvalidInput, match=r"classes=5: more than 5"):
            check_labels(NETWORK, wrong, comes_trained)


def test_alphabetical_places_are_class_numbers_where_all_classes_are_there() -> None:
    check_labels(NETWORK, data([0, 4], alphabetical=tuple("abcde")), comes_trained=True)


def test_to_a_network_that_comes_trained_a_place_among_fewer_says_nothing() -> None:
    few = data([0, 1, 2], (0, 1), alphabetical=("ant", "bee", "cat"))
    check_labels(NETWORK, few, comes_trained=False)
    with pytest.raises(InvalidInput, match=r"5 classes.*3 class folders \(ant, bee, cat"):
        check_labels(NETWORK, few, comes_trained=True)


def test_explicit_labels_may_be_a_few_of_the_classes() -> None:
    check_labels(NETWORK, data([3, 4]), comes_trained=True)

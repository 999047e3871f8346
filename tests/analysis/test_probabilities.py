"""The k-th largest probabilities, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zol2l.analysis.probabilities import probability_distribution


class Told(nn.Module):
    """The log-probabilities are written in the pixels."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)


def test_probabilities_are_sorted_image_by_image() -> None:
    told = torch.tensor([[0.7, 0.1, 0.2], [0.25, 0.25, 0.5]]).log().view(2, 1, 1, 3)
    table = probability_distribution(Told(), told, ranks=2)
    assert table["rank"].tolist() == [1, 2]
    assert table["probability_mean"].tolist() == pytest.approx([0.6, 0.225])
    assert table["probability_std"].tolist() == pytest.approx([0.1, 0.025])
    assert len(probability_distribution(Told(), told)) == 3

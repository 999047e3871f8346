"""Perturbations and the predicted variance as pictures (figure 9)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zol2l.analysis.variance import mean_predicted_variance, variance_pictures
from zol2l.estimators import ForwardDifference
from zol2l.optimizees import BlackBoxAttack
from zol2l.optimizer import ComposedOptimizer
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.updates import SGD, UpdateRNN

SHAPE = (1, 1, 3, 4)


def attack(bias: float = 1.0) -> BlackBoxAttack:
    """One grey image; class 0 wins by `bias` until the first row is darkened."""

    def victim(x: Tensor) -> Tensor:
        return torch.stack([bias + x[:, 0, 0].sum(-1) - 2, torch.zeros(len(x)).to(x)], dim=1)

    image = torch.full(SHAPE, 0.5, dtype=torch.float64)
    return BlackBoxAttack(victim, image, torch.tensor([0]))


def learned(mixing: float = 0.5) -> ComposedOptimizer:
    optimizer = ComposedOptimizer(QueryRNN(5, mixing=mixing), ForwardDifference(), UpdateRNN())
    with torch.no_grad():
        for weight in optimizer.sampling.parameters():
            weight.normal_(std=2.0, generator=torch.Generator().manual_seed(4))
    return optimizer.double()


def test_pictures_are_what_was_added_to_the_image() -> None:
    still = ComposedOptimizer(GaussianSampling(3), ForwardDifference(), SGD(1e-9))
    methods = {"zo_lstm": learned(), "zo_sgd": still}
    pictures = variance_pictures(learned(), methods, attack(), steps=3, seed=0)
    assert set(pictures) == {"image", "perturbation_zo_lstm", "perturbation_zo_sgd", "variance"}
    for picture in pictures.values():
        assert picture.shape == SHAPE[1:]
    start = attack().start().view(SHAPE[1:])
    torch.testing.assert_close(pictures["perturbation_zo_sgd"], start, rtol=0, atol=1e-6)
    assert not torch.equal(pictures["perturbation_zo_lstm"], pictures["perturbation_zo_sgd"])


@pytest.mark.parametrize("mixing", [0.0, 1.0])
def test_the_predicted_variance_keeps_the_norm_of_the_identity(mixing: float) -> None:
    """std is rescaled to the norm of all ones, so that the variances' mean is 1 at every step."""
    variance = mean_predicted_variance(learned(mixing), Oracle(attack()), 4, seed=0)
    assert variance.mean() == pytest.approx(1)
    assert variance.std() > 0


def test_iterations_after_the_first_success_do_not_count() -> None:
    solved = attack(bias=-1.0)
    first = mean_predicted_variance(learned(), Oracle(solved), 1, seed=0)
    assert torch.equal(mean_predicted_variance(learned(), Oracle(solved), 9, seed=0), first)

"""The default mu of l1 attacks is close to the best of a grid, in float32 and float64.

The l1 term has a kink |theta| ~ 1e-4 away from the start: a larger mu adds noise along every
direction; a smaller one drowns in rounding (FACTS, "mu and precision matter").
"""

from __future__ import annotations

import torch
from torch import Tensor

from tests.doubles import last_step
from tests.problems import seeded
from zol2l.estimators import ForwardDifference
from zol2l.networks.convolutional import small_convnet
from zol2l.optimizees import BlackBoxAttack
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling

INSTANCES, DIRECTIONS = 8, 20
GRID = [10.0**-k for k in range(10)]
STEEP = 100.0
"""Read-out scale at which a random network's slopes are as large as a trained one's (norm 3)."""


def attack(dtype: torch.dtype, steepness: float) -> BlackBoxAttack:
    torch.manual_seed(0)
    network = small_convnet(width=4, hidden=16).eval().requires_grad_(False)
    network[-1].weight.mul_(steepness)
    images = torch.rand(INSTANCES, 1, 8, 8, generator=seeded(1))
    labels = network(images).argmax(dim=1)
    return BlackBoxAttack(network.to(dtype), images.to(dtype), labels)


def errors(problem: BlackBoxAttack, mus: list[float], exact_directions: bool) -> Tensor:
    """Median relative error of the estimate for each mu, against the true gradient or, with
    `exact_directions`, against its projection on the same directions."""
    theta = problem.start()
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(problem(leaf[:, None]).loss.sum(), leaf)
    drawn = GaussianSampling(DIRECTIONS)(last_step(theta.double()), None, seeded(2))[0]
    directions = drawn.map(lambda x: x.to(theta.dtype))
    true = gradient
    if exact_directions:
        true = torch.einsum("bd,bqd,bqe->be", gradient, directions.u, directions.u) / DIRECTIONS
    found = []
    for mu in mus:
        estimator = ForwardDifference(mu)
        estimate, _ = estimator(Oracle(problem), theta, directions, None, seeded())
        relative = (estimate.gradient - true).norm(dim=-1) / true.norm(dim=-1)
        found.append(relative.median())
    return torch.stack(found)


def test_the_estimate_at_the_default_is_within_a_factor_three_of_the_best(
    dtype: torch.dtype,
) -> None:
    problem = attack(dtype, steepness=1.0)
    grid = errors(problem, GRID, exact_directions=False)
    default = errors(problem, [problem.smoothing[dtype]], exact_directions=False)
    assert default <= 3 * grid.min()
    assert grid.max() > 3 * default, "a grid without a bad mu proves nothing"


def test_on_the_same_directions_float32_is_within_a_factor_three_of_the_best() -> None:
    problem = attack(torch.float32, STEEP)
    grid = errors(problem, GRID, exact_directions=True)
    default = errors(problem, [problem.smoothing[torch.float32]], exact_directions=True)
    assert default <= 3 * grid.min()
    assert grid.max() > 10 * default


def test_on_the_same_directions_float64_errs_by_a_few_percent() -> None:
    """Below the kink float64 is exact to rounding, so no factor of the best is meaningful."""
    problem = attack(torch.float64, STEEP)
    default = errors(problem, [problem.smoothing[torch.float64]], exact_directions=True)
    assert default <= 0.05

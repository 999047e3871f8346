"""Where QueryRNN looks, beside where the attack ends (ZO-L2L figure 9)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zol2l.analysis.observe import observe, predicted_std
from zol2l.errors import require
from zol2l.optimizees import BlackBoxAttack
from zol2l.optimizer import Optimizer
from zol2l.oracle import Oracle


def variance_pictures(
    predictor: Optimizer,
    methods: Mapping[str, Optimizer],
    attack: BlackBoxAttack,
    steps: int,
    seed: int,
) -> dict[str, Tensor]:
    """Images (C, H, W) of the attack's single instance: `image`, `perturbation_<method>` after
    `steps` steps for each method, and `variance`, the mean predicted variance std^2 of `predictor`
    over the iterations before its first success (all of them where there is none).
    """
    image = attack.images[0]
    pictures = {"image": image}
    for name, optimizer in methods.items():
        *_, (_, _, after) = observe(optimizer, Oracle(attack), steps, seed)
        perturbation = attack.adversarial(after.theta[:, None])[0, 0] - image.flatten()
        pictures[f"perturbation_{name}"] = perturbation.view_as(image)
    variance = mean_predicted_variance(predictor, Oracle(attack), steps, seed)
    return {**pictures, "variance": variance.view_as(image)}


def mean_predicted_variance(optimizer: Optimizer, oracle: Oracle, steps: int, seed: int) -> Tensor:
    """Mean of std^2 (D,) over the steps before the single instance's first success."""
    seen_variances: list[Tensor] = []
    for _, seen, _ in observe(optimizer, oracle, steps, seed):
        success = seen.estimate.base.success
        if success is not None and bool(success[0, 0]) and seen_variances:
            break
        seen_variances.append(predicted_std(seen).square())
    require(len(seen_variances) > 0, "steps", steps, "at least one step")
    return torch.stack(seen_variances).mean(dim=0)

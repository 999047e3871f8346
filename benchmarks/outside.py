"""PGD and Square of zol2l beside those of torchattacks: same victim, images and settings.

    ZOL2L_DATA_DIR=... python benchmarks/outside.py [--images 200] [--eps 0.2] [--seeds 3]

The victim is the C&W network for MNIST that `zol2l train-victim optimizee=mnist_linf` has cached.
PGD takes the steps of torchattacks (cross-entropy, no random start). Random seeds differ: Square's
figures agree within their spread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
import torchattacks
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from zol2l.attacks.attack import Attack
from zol2l.attacks.square import SquareAttack
from zol2l.attacks.zeroth_order import ZerothOrderAttack
from zol2l.commands.build import CONF
from zol2l.commands.objects import family_of
from zol2l.estimators import ExactGradient
from zol2l.optimizees.threat_model import LInfBall
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling
from zol2l.updates import MomentumSign


def our_pgd(eps: float, step: float, steps: int) -> Attack:
    """Sign steps of the exact gradient of the cross-entropy, never halved."""
    update = MomentumSign(step, beta=0.0, patience=steps + 1)
    optimizer = ComposedOptimizer(GaussianSampling(1), ExactGradient(), update)
    return ZerothOrderAttack(optimizer, LInfBall(eps), steps, loss="cross_entropy")


def robust(victim: nn.Module, adversarial: Tensor, labels: Tensor) -> float:
    """Accuracy on adversarial images."""
    with torch.no_grad():
        return (victim(adversarial).argmax(dim=1) == labels).double().mean().item()


def compare_pgd(
    victim: nn.Module, images: Tensor, labels: Tensor, eps: float, step: float, steps: int
) -> tuple[float, float]:
    """Robust accuracy: ours, theirs."""
    theirs = torchattacks.PGD(victim, eps=eps, alpha=step, steps=steps, random_start=False)
    ours = our_pgd(eps, step, steps)(victim, images, labels).adversarial
    return robust(victim, ours, labels), robust(victim, theirs(images, labels), labels)


def compare_square(
    victim: nn.Module, images: Tensor, labels: Tensor, eps: float, queries: int, seeds: int
) -> dict[str, tuple[float, float]]:
    """Robust accuracy and mean queries to success, ours and theirs, each a mean over `seeds` runs.

    Theirs moves all images' squares together, so that the images of one run are not independent.
    """
    square = torchattacks.Square(victim, norm="Linf", eps=eps, n_queries=queries, loss="margin")
    square.init_hyperparam(images)
    accuracy, spent = [], []
    for seed in range(seeds):
        result = SquareAttack(LInfBall(eps), queries, seed=seed)(victim, images, labels)
        torch.manual_seed(seed)
        with torch.no_grad():
            asked, adversarial = square.attack_single_run(images, labels)
            found = victim(adversarial).argmax(dim=1) != labels
        accuracy += [(robust(victim, result.adversarial, labels), (~found).double().mean().item())]
        mine, theirs = result.queries[result.success], asked[found]
        spent += [(mine.double().mean().item(), theirs.double().mean().item())]
    return {"robust accuracy": _means(accuracy), "queries": _means(spent)}


def _means(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    ours, theirs = torch.tensor(pairs, dtype=torch.float64).mean(dim=0).tolist()
    return ours, theirs


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--eps", type=float, default=0.2)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3, help="runs of Square")
    chosen = parser.parse_args()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        sizes = [f"optimizee.family.test={chosen.images}"]
        cfg = compose("config", ["scale=cpu", "optimizee=mnist_linf", *sizes])
    family = family_of(cfg)
    images, goal = family.examples("test", torch.arange(chosen.images))
    show: Callable[..., None] = print
    for steps in (5, 10, 20):
        ours, theirs = compare_pgd(family.victim, images, goal.labels, chosen.eps, 0.02, steps)
        show(f"PGD, {steps} steps of 0.02: robust accuracy {ours:.3f}, torchattacks {theirs:.3f}")
    limits = chosen.eps, chosen.queries, chosen.seeds
    found = compare_square(family.victim, images, goal.labels, *limits)
    for name, (ours, theirs) in found.items():
        show(f"Square, {name}: {ours:.4g}, torchattacks {theirs:.4g}")


if __name__ == "__main__":
    main()

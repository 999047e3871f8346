"""Images a second that an attack classifies, over those of the victim's forward pass alone.

    python benchmarks/attack_throughput.py [--images 1000] [--steps 3] [--threads 0]

The attacks are one batched run each on the C&W network for MNIST (untrained: weights do not change
the cost). The ball is too small for any success, so that no image leaves and every step costs its
whole price. Both see calls of the oracle's size, in turns; the ratio of the medians is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from zol2l.attacks.attack import Attack, AttackResult
from zol2l.attacks.square import SquareAttack
from zol2l.attacks.zeroth_order import ZerothOrderAttack
from zol2l.chunks import MOST
from zol2l.estimators import CentralDifference, ForwardDifference, OuterProduct
from zol2l.machine.heap import keep_freed_memory
from zol2l.networks.checkpoints import frozen
from zol2l.networks.convolutional import carlini_wagner
from zol2l.optimizees.threat_model import LInfBall
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, SphereSampling
from zol2l.updates import MomentumSign, NaturalGradient

BALL = LInfBall(1e-6)


def attacks(steps: int) -> dict[str, Attack]:
    """ZO-NGD (R = 40), NES-PGD (25 pairs) and Square, of about as many queries."""
    ngd = ForwardDifference(1.0, OuterProduct())
    natural = ComposedOptimizer(SphereSampling(40, 1.0), ngd, NaturalGradient(1.0))
    nes = ComposedOptimizer(GaussianSampling(25), CentralDifference(1e-3), MomentumSign(0.1))
    return {
        "zo_ngd": ZerothOrderAttack(natural, BALL, steps),
        "nes_pgd": ZerothOrderAttack(nes, BALL, steps),
        "square": SquareAttack(BALL, 40 * steps),
    }


def timed(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print images a second and ratios, a line an attack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's default")
    chosen = parser.parse_args()
    keep_freed_memory()  # as every command does
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    victim = frozen(carlini_wagner())
    images = torch.rand(chosen.images, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        labels = torch.cat([victim(part).argmax(dim=1) for part in images.split(MOST)])

    @torch.inference_mode()
    def forward() -> None:
        for part in images.split(MOST):
            victim(part)

    show: Callable[..., None] = print
    for name, attack in attacks(chosen.steps).items():
        ratios = []
        for _ in range(chosen.rounds):
            bare = chosen.images / timed(forward)
            results: list[AttackResult] = []
            spent = timed(lambda: results.append(attack(victim, images, labels)))  # noqa: B023
            asked = int(results[0].queries.sum()) / spent
            ratios.append(asked / bare)
            assert not results[0].success.any()
        speeds = f"{asked:8.0f} images/s, forward alone {bare:8.0f}"
        show(f"{name:8} {speeds}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()

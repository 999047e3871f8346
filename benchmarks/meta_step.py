"""The time of a meta-step with slopes from queries over that with slopes from the derivative.

    python benchmarks/meta_step.py [--lanes 10] [--rounds 5] [--threads 0]

The attack is on the C&W network for MNIST (untrained: weights do not change the cost) with q = 20;
a meta-step takes `lanes` instances through a window of 20 steps, as staggered meta-training does,
forward and backward. Both kinds are timed in turns; the ratio of the medians is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from lightning_modules.meta_training import MetaTraining
from lightning_modules.truncation import TruncationSchedule
from zol2l.estimators import ForwardDifference
from zol2l.machine.heap import keep_freed_memory
from zol2l.networks.checkpoints import frozen
from zol2l.networks.convolutional import carlini_wagner
from zol2l.optimizees import AttackFamily
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.updates import UpdateRNN

SLOPES = ("queries", "derivative")


def job(stage: str, slopes: str, lanes: int) -> MetaTraining:
    """Meta-training on random images, labelled as the untrained victim labels them."""
    torch.manual_seed(0)
    victim = frozen(carlini_wagner())
    images = torch.rand(lanes + 2, 1, 28, 28)
    labels = victim(images).argmax(dim=1)
    family = AttackFamily(victim, images, labels, train=lanes // 2, validation=1, test=1)
    sampling = QueryRNN(20) if stage == "sampling" else GaussianSampling(20)
    optimizer = ComposedOptimizer(sampling, ForwardDifference(), UpdateRNN())
    module = MetaTraining(
        optimizer, family, TruncationSchedule(), stage=stage, meta_steps=1, slopes=slopes
    )
    module.generator = torch.Generator().manual_seed(0)
    return module


def seconds(module: MetaTraining, lanes: int) -> float:
    """Wall time of one window, forward and backward."""
    unroll = module._start(torch.arange(lanes) % module.family.sizes["train"])
    start = time.perf_counter()
    _, objective, _ = module.unroll_window(unroll)
    objective.backward()
    return time.perf_counter() - start


def main() -> None:
    """Print seconds and ratios, a line a stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's default")
    options = parser.parse_args()
    keep_freed_memory()  # as every command does
    if options.threads:
        torch.set_num_threads(options.threads)
    for stage in ("update", "sampling"):
        jobs = {slopes: job(stage, slopes, options.lanes) for slopes in SLOPES}
        rounds = [
            {slopes: seconds(module, options.lanes) for slopes, module in jobs.items()}
            for _ in range(options.rounds + 1)
        ][1:]
        queries, derivative = (statistics.median(r[s] for r in rounds) for s in SLOPES)
        print(
            f"{stage:10} queries {queries:.2f} s, derivative {derivative:.2f} s,"
            f" ratio {queries / derivative:.1f}"
        )


if __name__ == "__main__":
    main()

"""The time of an optimizer step over the time of its forward passes alone.

    python benchmarks/step_overhead.py [--instances 100] [--rounds 5] [--threads 0]

The attack is on the C&W network for MNIST (untrained: weights do not change the cost) with q = 20.
Each round times one step of every method and the Q + 1 bare forward passes per instance, in turns,
in the chunks of the oracle, so that both see the same machine; the ratio of the medians is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from zol2l.chunks import MOST
from zol2l.estimators import ForwardDifference
from zol2l.networks.checkpoints import frozen
from zol2l.networks.convolutional import carlini_wagner
from zol2l.optimizees import BlackBoxAttack
from zol2l.optimizer import ComposedOptimizer
from zol2l.oracle import Oracle
from zol2l.sampling import GaussianSampling, QueryRNN
from zol2l.updates import SGD, Adam, UpdateRNN

METHODS = {
    "zo_sgd": lambda q: ComposedOptimizer(GaussianSampling(q), ForwardDifference(), SGD(4.0)),
    "zo_adam": lambda q: ComposedOptimizer(GaussianSampling(q), ForwardDifference(), Adam(8.0)),
    "zo_lstm": lambda q: ComposedOptimizer(QueryRNN(q), ForwardDifference(), UpdateRNN()),
}


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def stepper(name: str, attack: BlackBoxAttack, q: int) -> Callable[[], object]:
    """One step of the method from its start, as `run` takes it."""
    optimizer = METHODS[name](q).eval()
    oracle = Oracle(attack)
    generator = torch.Generator().manual_seed(0)
    state = optimizer.init(attack.start())
    return lambda: optimizer.step(state, oracle, generator)


@torch.inference_mode()
def main() -> None:
    """Print seconds and ratios, a line a method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=100)
    parser.add_argument("--directions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's default")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    victim = frozen(carlini_wagner())
    count, q = options.instances, options.directions
    attack = BlackBoxAttack(victim, torch.rand(count, 1, 28, 28), torch.randint(10, (count,)))
    points = (MOST // (q + 1)) * (q + 1)
    chunks = torch.rand(count * (q + 1), 1, 28, 28).split(points)
    work: dict[str, Callable[[], object]] = {"forward": lambda: [victim(x) for x in chunks]}
    work |= {name: stepper(name, attack, q) for name in METHODS}
    times: dict[str, list[float]] = {name: [] for name in work}
    for done in range(options.rounds + 1):
        for name, call in work.items():
            elapsed = seconds(call)
            if done:  # the first round warms up
                times[name].append(elapsed)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{count} instances, q = {q}, {torch.get_num_threads()} threads, {options.rounds} rounds")
    for name, median in medians.items():
        print(f"{name:10}{1000 * median:9.1f} ms{median / medians['forward']:8.2f} x forward")


if __name__ == "__main__":
    main()

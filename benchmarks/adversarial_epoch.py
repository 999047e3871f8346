"""Time of an update of RNN-Adv, RNN-TRADES and TRADES over AdvTrain's, at equal inner steps.

    python benchmarks/adversarial_epoch.py [--updates 4] [--rounds 3] [--threads 0]

Batches of 128 random images through the C&W network for MNIST, 10 inner steps, Lightning's own
training without logs and checkpoints. The defenses take turns; the ratio of medians is printed.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial

import torch

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.cost import seconds_per_update
from lightning_modules.recipe import Recipe
from zol2l.machine.heap import keep_freed_memory
from zol2l.maximizers import CrossEntropy, Trades
from zol2l.maximizers.pgd import PGD
from zol2l.maximizers.rnn import RNNMaximizer
from zol2l.networks.convolutional import carlini_wagner
from zol2l.optimizees.threat_model import LInfBall

BATCH = 128
TRAINER = {"accelerator": "auto", "devices": 1, "enable_model_summary": False}
DEFENSES = {
    "advtrain": lambda: (PGD(), CrossEntropy()),
    "rnn_adv": lambda: (RNNMaximizer(), CrossEntropy()),
    "trades": lambda: (PGD(), Trades(1.0)),
    "rnn_trades": lambda: (RNNMaximizer(), Trades(1.0)),
}


def job(name: str, updates: int) -> AdversarialTraining:
    """A training of so many updates on random images."""
    torch.manual_seed(0)
    images, labels = torch.rand(updates * BATCH, 1, 28, 28), torch.arange(updates * BATCH) % 10
    sgd, adam = partial(torch.optim.SGD, lr=0.01), partial(torch.optim.Adam, lr=3e-3)
    return AdversarialTraining(
        carlini_wagner(), *DEFENSES[name](), LInfBall(0.3), images, labels,
        Recipe(epochs=1, batch_size=BATCH), sgd, adam,
    )  # fmt: skip


def main() -> None:
    """Print seconds an update and ratios, a line a defense."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's default")
    chosen = parser.parse_args()
    keep_freed_memory()  # as every command does
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    times: dict[str, list[float]] = {name: [] for name in DEFENSES}
    for turn in range(chosen.rounds + 1):
        for name in DEFENSES:
            seconds = seconds_per_update(job(name, chosen.updates), TRAINER)
            times[name] += [seconds] if turn else []  # the first turn warms up
    first = statistics.median(times["advtrain"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:12} {median:8.3f} s an update, {median / first:.2f} of AdvTrain's")


if __name__ == "__main__":
    main()

"""Time per image of the C&W networks' forward pass against the images per call.

    python benchmarks/chunk_size.py

This is where `zol2l.chunks.IN_CACHE` comes from: the flat parts of the curves.
"""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn

from zol2l.chunks import points_per_call
from zol2l.networks.checkpoints import frozen
from zol2l.networks.convolutional import carlini_wagner

SIZES = (1, 13, 26, 53, 105, 210, 420, 1050)
IMAGES = 1050
ROUNDS = 3


def main() -> None:
    """Print both curves."""
    cifar10 = carlini_wagner(channels=3, size=32, widths=(64, 128), hidden=256)
    for name, network, shape in (
        ("MNIST", carlini_wagner(), (1, 28, 28)),
        ("CIFAR-10", cifar10, (3, 32, 32)),
    ):
        images = torch.rand(IMAGES, *shape)
        chosen = points_per_call(images[0].numel(), images.device)
        print(f"{name}: zol2l shows {chosen} images a call")
        curve(frozen(network), images)


@torch.inference_mode()
def curve(victim: nn.Module, images: torch.Tensor) -> None:
    """Print microseconds per image, the median of rounds in which all sizes take turns."""
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            start = time.perf_counter()
            for chunk in images.split(size):
                victim(chunk)
            times[size].append((time.perf_counter() - start) / len(images))
    for size, values in times.items():
        print(f"{size:6} images a call {1e6 * statistics.median(values):9.0f} us an image")


if __name__ == "__main__":
    main()

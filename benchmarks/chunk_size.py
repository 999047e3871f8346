"""Time per image of the C&W network's forward pass against the images per call.

    python benchmarks/chunk_size.py

This is where `zol2l.oracle.CHUNK` comes from: the flat part of the curve.
"""

from __future__ import annotations

import statistics
import time

import torch

from zol2l.victims.checkpoints import frozen
from zol2l.victims.networks import carlini_wagner

SIZES = (1, 21, 52, 105, 210, 420, 1050, 2100)
IMAGES = 2100
ROUNDS = 3


@torch.inference_mode()
def main() -> None:
    """Print microseconds per image, the median of rounds in which all sizes take turns."""
    victim = frozen(carlini_wagner())
    images = torch.rand(IMAGES, 1, 28, 28)
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            start = time.perf_counter()
            for chunk in images.split(size):
                victim(chunk)
            times[size].append((time.perf_counter() - start) / IMAGES)
    for size, values in times.items():
        print(f"{size:6} images a call {1e6 * statistics.median(values):9.0f} us an image")


if __name__ == "__main__":
    main()

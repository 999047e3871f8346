"""Turn a run folder's learned parts into a released optimizer, with a card and a figure to check.

python -m zol2l.pretrained.release outputs/fig2_mnist/meta/zo_lstm mnist
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from zol2l.optimizees import BinaryClassificationFamily
from zol2l.oracle import Oracle
from zol2l.pretrained import CARD, HERE
from zol2l.run import run
from zol2l.storage.json_files import write_json
from zol2l.storage.learned_weights import read_card_of
from zol2l.zo_lstm import PARTS, WEIGHTS, ZOLSTM

CHECK_STEPS = 100
CHECK_GAIN = 50.0
"""Of `optimizee=binary_classification`: with another, losses hardly change and check nothing."""
KEPT = ("command", "git_commit", "started", "packages")


def release(folder: Path, name: str, root: Path = HERE) -> dict[str, Any]:
    """Copy both parts from `folder` to `root`/`name` and write card.json beside them.

    The card: task, directions (q), smoothing (mu; null: the problem's default), UpdateRNN's gain
    and scale, horizon, and for each part the command, the commit, the versions and the validation
    figures; `check` is what `check_figures` gives.
    """
    cards = {part: read_card_of(folder / part / WEIGHTS) for part in PARTS}
    settings = cards["sampling"]["settings"]
    optimizer = settings["optimizer"]
    update = cards["update"]["settings"]["optimizer"]["update"]
    gain, scale = float(update.get("gain", 1.0)), float(update.get("scale", 1.0))
    for part in PARTS:
        target = root / name / part / WEIGHTS
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / part / WEIGHTS, target)
    card = {
        "name": name,
        "task": settings["optimizee.name"],
        "directions": optimizer["sampling"]["directions"],
        "smoothing": optimizer["estimator"].get("smoothing"),
        "gain": gain,
        "scale": scale,
        "horizon": settings["meta_training"]["truncation"]["horizon"],
        "parts": {
            part: {**{key: card[key] for key in KEPT}, "validation": known(card["validation"])}
            for part, card in cards.items()
        },
        "check": check_figures(root / name),
    }
    write_json(root / name / CARD, card)
    return card


def known(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures that are numbers: a problem without success has no queries to it."""
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def check_figures(folder: Path) -> dict[str, float]:
    """Mean loss at the start and after 100 steps on five small problems that no release was
    trained on (binary classification, D = 20, 200 samples), in their unit: the same numbers on
    every machine, up to rounding.
    """
    optimizer = ZOLSTM.from_pretrained(folder, gain=CHECK_GAIN, scale=1.0)
    family = BinaryClassificationFamily(
        train=1, validation=1, test=5, dimension=20, samples=200, batch_size=64
    )
    oracle = Oracle(family.optimizee("test", torch.arange(5)))
    trajectory = run(optimizer, oracle, CHECK_STEPS, torch.Generator().manual_seed(0))
    first, last = trajectory.loss[:, 0].mean(), trajectory.loss[:, -1].mean()
    return {"start_loss": float(first), "final_loss": float(last)}


if __name__ == "__main__":
    release(Path(sys.argv[1]), sys.argv[2])

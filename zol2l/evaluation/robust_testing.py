"""Many classifiers under many attackers; what was done is kept and not done again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor, nn

from zol2l.evaluation.results import beside
from zol2l.evaluation.robust_results import read_robust, write_robust
from zol2l.evaluation.robustness import Attacker, RobustnessProtocol, withstand
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.storage.parts import kept_part
from zol2l.terminal.progress import Advance


@dataclass(frozen=True)
class RobustTest:
    """The classifier that `method` has trained with `seed`, under an attacker within `radius` times
    the threat model's radius, on the first `images`; and a fingerprint of all that it depends on.
    """

    method: str
    seed: int
    classifier: nn.Module
    name: str
    attacker: Attacker
    fingerprint: str
    images: int
    radius: float = 1.0

    @property
    def title(self) -> str:
        """Distinct among the tests of a folder."""
        at = "" if self.radius == 1 else f"-{self.radius:g}eps"
        return f"{self.method}-seed{self.seed}-{self.name}{at}"


def run_tests(
    tests: Iterable[RobustTest],
    total: int,
    data: tuple[Tensor, Tensor],
    threat: ThreatModel,
    protocol: RobustnessProtocol,
    folder: Path,
    parts: Path,
    progress: Advance,
    kept: Collection[str] = (),
) -> pd.DataFrame:
    """Run `total` tests on test images and labels into `folder`/results.parquet, a row per test and
    image, with those of the defenses `kept` that were there. A finished test is kept in `parts` and
    not run again.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    for done, test in enumerate(tests):
        progress("Testing under attack", done, total)
        make = partial(run_test, test, data, threat, protocol)
        rows = kept_part(parts, test.title, test.fingerprint, make, read_robust)
        frames.setdefault(test.method, []).append(rows)
    progress("Testing under attack", total, total)
    table = folder / "results.parquet"
    now = {name: pd.concat(rows) for name, rows in frames.items()}
    write_robust(table, beside(table, kept, now))
    return read_robust(table)


def run_test(
    test: RobustTest,
    data: tuple[Tensor, Tensor],
    threat: ThreatModel,
    protocol: RobustnessProtocol,
    part: Path,
) -> None:
    """Write the rows of one test on the first of the images (m, C, H, W) with labels (m,)."""
    images, labels = (tensor[: test.images] for tensor in data)
    seen = withstand(
        test.classifier, test.attacker, images, labels, threat.scaled(test.radius),
        seed=protocol.seed, chunk=protocol.chunk,
    )  # fmt: skip
    measured = {"label": labels, "predicted": seen.predicted}
    measured |= {"correct": seen.correct, "loss": seen.loss}
    frame = pd.DataFrame({name: value.cpu().numpy() for name, value in measured.items()})
    frame["instance"] = np.arange(len(frame))
    frame["method"], frame["seed"] = test.method, test.seed
    frame["attacker"], frame["radius"] = test.name, test.radius
    write_robust(part, [frame])

"""Many attacks on the same images: who succeeds, after how many queries, verified from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from zol2l.attacks.attack import Attack, AttackResult, inspect, warn_of_wavering
from zol2l.attacks.checkpoint import AttackCheckpoint
from zol2l.chunks import predictions
from zol2l.evaluation.attack_results import attack_rows, read_attacks, write_attacks
from zol2l.evaluation.results import beside, only_pictures_of
from zol2l.evaluation.shared_protocol import SharedProtocol
from zol2l.evaluation.stopped import warn_of_stopped
from zol2l.optimizees.constrained_family import ConstrainedFamily
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.storage.parts import kept_part, part_path
from zol2l.storage.tensor_files import load_tensors, save_tensors
from zol2l.terminal.progress import Advance

FAILURE = 10
"""A failure counts as so many times the most queries spent (PAR10 of algorithm configuration)."""


@dataclass(frozen=True, kw_only=True)
class AttackProtocol(SharedProtocol):
    """What every attack gets: `images`, of which `pictured` are kept to be shown, and how many more
    looks `confirm` a success.
    """

    images: int = 100
    pictured: int = 8
    confirm: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check(self.images >= 1, "images", "at least 1")
        self.check(self.pictured >= 0, "pictured", "at least 0")
        self.check(self.confirm >= 0, "confirm", "at least 0 more looks")

    def require_images(self, available: int) -> None:
        """Refuse to ask for more images than the split has."""
        self.check_examples("images", available)

    def examples(self, family: ConstrainedFamily) -> tuple[Tensor, Goal]:
        """The clean images (B, C, H, W), and what attacks on them are after."""
        self.require_images(family.sizes[self.split])
        return family.examples(self.split, self.first + torch.arange(self.images))

    def options(self, family: ConstrainedFamily) -> dict[str, Any]:
        """What an `Attack` is given beside its own settings."""
        return self.options_within(family.threat, family.kappa)

    def options_within(self, threat: ThreatModel, kappa: float) -> dict[str, Any]:
        """The same for a threat model and a margin."""
        shared = {"budget": self.budget, "chunk": self.chunk, "seed": self.seed}
        return {"threat": threat, "kappa": kappa, "confirm": self.confirm, **shared}


@dataclass(frozen=True)
class NamedAttack:
    """An attack, a fingerprint of all that its results depend on, and one of the attack itself."""

    attack: Attack
    fingerprint: str
    definition: str = ""


def attack_all(
    attacks: Mapping[str, NamedAttack],
    family: ConstrainedFamily,
    protocol: AttackProtocol,
    folder: Path,
    parts: Path,
    progress: Advance,
    kept: Collection[str] = (),
) -> pd.DataFrame:
    """Run all attacks into `folder`/results.parquet and return the frame, a row per attack, image,
    with those of the attacks `kept` that were there.

    A finished attack is kept in `parts`, which run folders may share, with its adversarial images
    and not run again, a running one is checkpointed there.
    """
    frames = {}
    only_pictures_of(kept, folder / "pictures")
    for name, named in attacks.items():
        make = partial(_keep_attack, name, named.attack, family, protocol, progress)
        frames[name], pictures = kept_part(parts, name, named.fingerprint, make, _read_attack)
        shown = {key: value[: protocol.pictured] for key, value in pictures.items()}
        save_tensors(folder / "pictures" / f"{name}.safetensors", shown)
    table = folder / "results.parquet"
    write_attacks(table, beside(table, kept, frames))
    return read_attacks(table)


def _keep_attack(
    name: str,
    attack: Attack,
    family: ConstrainedFamily,
    protocol: AttackProtocol,
    progress: Advance,
    part: Path,
) -> None:
    checkpoint = AttackCheckpoint(part.with_suffix(".checkpoint.safetensors"))
    show = partial(progress, name)
    frame, kept = attack_once(name, attack, family, protocol, checkpoint, show)
    save_tensors(_images_of(part), kept)
    write_attacks(part, [frame])
    checkpoint.remove()


def _read_attack(part: Path) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    return read_attacks(part), load_tensors(_images_of(part))


def _images_of(part: Path) -> Path:
    return part.with_suffix(".images.safetensors")


def attack_once(
    name: str,
    attack: Attack,
    family: ConstrainedFamily,
    protocol: AttackProtocol,
    checkpoint: AttackCheckpoint | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    """One attack on the protocol's images, from where `checkpoint` says that a killed one was: its
    rows, and the images before and after.
    """
    images, goal = protocol.examples(family)
    attack.progress, attack.checkpoint = progress, checkpoint
    result: AttackResult = attack(family.victim, images, goal.labels, goal.targets)
    stopped = protocol.first + result.stopped.nonzero()[:, 0]
    warn_of_stopped(name, [str(row) for row in stopped.tolist()], "image")
    seen = inspect(result.adversarial, family.victim, images, goal, family.threat)
    lost = result.success & ~seen.broken.cpu()
    warn_of_wavering(int(lost.sum()), len(images), protocol.confirm)
    rows = attack_rows(name, protocol.first, images, goal, result, seen)
    kept = {"clean": images, "adversarial": result.adversarial, "predictions": seen.predicted}
    targets = {} if goal.targets is None else {"targets": goal.targets}
    kept = {**kept, "labels": goal.labels, **targets}
    return rows, {name: value.cpu() for name, value in kept.items()}


def transferred(
    parts: Path, attacks: Mapping[str, NamedAttack], network: nn.Module
) -> dict[str, float]:
    """For each attack that `attack_all` has kept in `parts`: of its images that reach their goal
    at the victim, the share that does so at another network too, among those whose clean image that
    one knows.
    """
    shares = {}
    for name, named in attacks.items():
        kept = load_tensors(_images_of(part_path(parts, name, named.fingerprint)))
        known = predictions(network, kept["clean"]) == kept["labels"]
        goal = Goal(kept["labels"], kept.get("targets"))
        counted = known & goal.reached(kept["predictions"])
        fooled = goal.reached(predictions(network, kept["adversarial"]))
        shares[name] = fooled[counted].double().mean().item()
    return shares


def penalized_queries(rows: pd.DataFrame) -> float:
    """Mean queries of all images, where a failure counts FAILURE times the most that any image has
    spent: what step sizes are tuned for.
    """
    failed = FAILURE * rows["queries"].max()
    return float(rows["queries"].where(rows["success"], failed).mean())

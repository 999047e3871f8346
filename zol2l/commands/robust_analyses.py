"""What adv-evaluate draws in place of its table: analysis=trajectories, landscape or cost."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from omegaconf import DictConfig
from torch import Tensor, nn

from zol2l.analysis.attack_trajectories import loss_trajectories
from zol2l.analysis.loss_landscape import loss_landscape
from zol2l.commands.build import build, plain
from zol2l.commands.defense_training import adversarial_training
from zol2l.commands.robust import (
    build_threat,
    chosen_defenses,
)
from zol2l.commands.trained_players import build_attacker, trained_classifier
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.robustness import RobustnessProtocol
from zol2l.evaluation.summary import write_summary
from zol2l.networks.convolutional import parameter_count
from zol2l.plots.landscape import landscape_figure
from zol2l.plots.trajectories import trajectories_figure
from zol2l.reporting.robust_tables import print_cost


@dataclass(frozen=True)
class Scene:
    """What an analysis looks at: the configuration, the data and the folder it writes to."""

    cfg: DictConfig
    data: ImageData

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.cfg.paths.run_dir)

    @property
    def protocol(self) -> RobustnessProtocol:
        """Whose seed the draws follow from, and how many images a call shows."""
        protocol: RobustnessProtocol = build(self.cfg.robustness)
        return protocol

    def examples(self, count: int) -> tuple[Tensor, Tensor]:
        """The first test images (B, C, H, W) and their labels (B,)."""
        return self.data.test_images[:count], self.data.test_labels[:count]

    def of_each(self, look: Callable[[nn.Module], pd.DataFrame]) -> pd.DataFrame:
        """What `look` finds at each chosen defense's classifier, of the first seed."""
        tables = []
        for name, defense in chosen_defenses(self.cfg).items():
            network = trained_classifier(self.cfg, name, defense, self.seed, self.data)
            tables.append(look(network).assign(method=name, seed=self.seed))
        return pd.concat(tables, ignore_index=True)

    @property
    def seed(self) -> int:
        """The first one."""
        return int(self.cfg.seeds[0])

    def written(self, name: str, table: pd.DataFrame) -> tuple[Path, Path]:
        """The paths of the table, which is written, and of the figure."""
        path = self.folder / f"{name}.csv"
        write_summary(path, table)
        return path, self.folder / "figures" / f"{name}.png"


CLASSIFIERS, ATTACKERS = "classifiers", "attackers"
"""What an analysis may need that `adv-train` leaves behind."""


def needs(cfg: DictConfig) -> Collection[str]:
    """What the configured analysis needs; the table, where there is none, needs all."""
    if cfg.get("analysis") is None:
        return (CLASSIFIERS, ATTACKERS)
    return robust_analysis(cfg).NEEDS


def robust_analysis(cfg: DictConfig) -> Trajectories | Landscape | Cost:
    """The configured analysis; those of `zol2l analyze` look at optimizers and are refused."""
    analysis = build(cfg.analysis)
    if isinstance(analysis, Trajectories | Landscape | Cost):
        return analysis
    allowed = "trajectories, landscape or cost"
    raise InvalidInput("analysis", type(analysis).__name__.lower(), allowed)


@dataclass(frozen=True)
class Trajectories:
    """Figure 2: the loss of each defense against the steps of each attacker, on `images`."""

    NEEDS: ClassVar[Collection[str]] = (CLASSIFIERS, ATTACKERS)
    images: int = 500

    def __post_init__(self) -> None:
        require(self.images >= 1, "images", self.images, "at least 1")

    def __call__(self, scene: Scene) -> list[Path]:
        cfg, data = scene.cfg, scene.data
        built = {n: build_attacker(cfg, a, scene.seed, data, {}) for n, a in cfg.attackers.items()}
        images, labels = scene.examples(self.images)
        look = partial(
            loss_trajectories, attackers=built, images=images, labels=labels,
            threat=build_threat(cfg), seed=scene.protocol.seed, chunk=scene.protocol.chunk,
        )  # fmt: skip
        table = scene.of_each(look)
        path, figure = scene.written("trajectories", table)
        return [path, trajectories_figure(table, figure)]


@dataclass(frozen=True)
class Landscape:
    """Figure 3: the mean loss of `images` around them, up to `reach` times eps away."""

    NEEDS: ClassVar[Collection[str]] = (CLASSIFIERS,)
    images: int = 20
    reach: float = 1.5
    points: int = 21

    def __post_init__(self) -> None:
        require(self.images >= 1, "images", self.images, "at least 1")
        require(self.points >= 2, "points", self.points, "at least 2")

    def __call__(self, scene: Scene) -> list[Path]:
        images, labels = scene.examples(self.images)
        look = partial(
            loss_landscape, images=images, labels=labels,
            reach=self.reach * build_threat(scene.cfg).eps, points=self.points,
            seed=scene.protocol.seed,
        )  # fmt: skip
        table = scene.of_each(look)
        path, figure = scene.written("landscape", table)
        return [path, landscape_figure(table, figure)]


@dataclass(frozen=True)
class Cost:
    """Table 2: the weights of each defense's maximizer and the time of an epoch, from `updates` of
    a training that is timed and thrown away. `ratio` is the time over that of the first defense.
    """

    NEEDS: ClassVar[Collection[str]] = ()
    updates: int = 10

    def __call__(self, scene: Scene) -> list[Path]:
        cfg, data = scene.cfg, scene.data
        recipe = build(cfg.recipe.training)
        size = recipe.batch_size * recipe.accumulate
        images = min(self.updates * size, len(data.train_images))
        require(images >= size, "updates", self.updates, "enough training images for one")
        few = replace(
            data, train_images=data.train_images[:images], train_labels=data.train_labels[:images]
        )
        from lightning_modules.cost import seconds_per_update  # with Lightning, for this alone

        rows: list[dict[str, Any]] = []
        for name, defense in chosen_defenses(cfg).items():
            short = replace(recipe, epochs=1, held_out=0)
            module = adversarial_training(cfg, defense, scene.seed, few, short)
            seconds = seconds_per_update(module, plain(cfg.trainer))
            epoch = seconds * ((len(data.train_images) - recipe.held_out) // size)
            weights = parameter_count(module.maximizer)
            times = {"seconds_per_update": seconds, "seconds_per_epoch": epoch}
            rows.append({"method": name, "weights": weights, **times})
        table = pd.DataFrame(rows)
        table["ratio"] = table["seconds_per_update"] / table["seconds_per_update"].iloc[0]
        path, _ = scene.written("cost", table)
        print_cost(table)
        return [path]

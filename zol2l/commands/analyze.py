"""`zol2l analyze`: look inside the runs of the chosen methods (analysis=cosine and others)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from omegaconf import DictConfig

from zol2l.analysis.coordinate import coordinate_trajectory
from zol2l.analysis.cosine import cosine_similarity
from zol2l.analysis.observe import composed
from zol2l.analysis.probabilities import probability_distribution
from zol2l.analysis.variance import variance_pictures
from zol2l.commands.build import build
from zol2l.commands.evaluate import evaluated_methods, files_of
from zol2l.commands.finish import finish
from zol2l.commands.objects import family_of
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.protocol import Protocol
from zol2l.evaluation.summary import write_summary
from zol2l.optimizees import AttackFamily, BlackBoxAttack, OptimizeeFamily
from zol2l.optimizer import Optimizer
from zol2l.plots.coordinate import coordinate_figure
from zol2l.plots.cosine import cosine_figure
from zol2l.plots.probabilities import probabilities_figure
from zol2l.plots.variance import variance_images
from zol2l.reporting.tracking import log_figures
from zol2l.storage.made_of import MadeOf
from zol2l.storage.tensor_files import save_tensors
from zol2l.terminal.progress import Advance, progress_bars

LEARNED = "zo_lstm"


@dataclass(frozen=True)
class Scene:
    """What an analysis looks at: methods, problems, protocol; and the folder it writes to."""

    methods: dict[str, Optimizer]
    family: OptimizeeFamily
    protocol: Protocol
    folder: Path
    progress: Advance

    def method(self, name: str) -> Optimizer:
        """The method that an analysis cannot do without."""
        require(name in self.methods, "methods", ", ".join(self.methods), f"{name} among them")
        return self.methods[name]


Analysis = Callable[[Scene], list[Path]]


def main(cfg: DictConfig) -> None:
    """Run the configured analysis into the run folder."""
    if cfg.analysis is None:
        raise InvalidInput("analysis", None, "name one; `zol2l list` shows them")
    analysis: Analysis = build(cfg.analysis)
    family = family_of(cfg)
    family.device = torch.device("cpu")  # one instance, or a few
    methods = {name: m.optimizer for name, m in evaluated_methods(cfg, family).items()}
    with progress_bars() as show:
        scene = Scene(methods, family, build(cfg.evaluation), Path(cfg.paths.run_dir), show)
        written = analysis(scene)
    figures = [path for path in written if path.suffix == ".png"]
    made = MadeOf(files_of(cfg, family), written)
    finish(cfg, "analyze", made, partial(log_figures, figures=figures))


@dataclass(frozen=True)
class Cosine:
    """Figure 4d: cosine similarity against the number of query directions."""

    directions: Sequence[float]

    def __call__(self, scene: Scene) -> list[Path]:
        protocol = scene.protocol
        counts = [int(q) for q in self.directions]
        table = cosine_similarity(
            scene.methods,
            lambda: protocol.oracle(scene.family),
            counts,
            protocol.steps,
            protocol.seed,
            scene.progress,
            protocol.trials,
        )
        return [_table(scene, "cosine", table), cosine_figure(table, _figure(scene, "cosine"))]


@dataclass(frozen=True)
class Coordinate:
    """Figure 4e: one coordinate of one `instance` under ZO-LSTM; null: the one that moves most."""

    instance: int = 0
    coordinate: int | None = None

    def __call__(self, scene: Scene) -> list[Path]:
        others = {n: composed(m).update for n, m in scene.methods.items() if n != LEARNED}
        protocol = _single(scene, self.instance)
        oracle = protocol.oracle(scene.family)
        table = coordinate_trajectory(
            scene.method(LEARNED), others, oracle, protocol.steps, protocol.seed, self.coordinate
        )
        figure = coordinate_figure(table, _figure(scene, "coordinate"))
        return [_table(scene, "coordinate", table), figure]


@dataclass(frozen=True)
class Variance:
    """Figure 9: final perturbations and the mean predicted variance of one `instance`."""

    instance: int = 0

    def __call__(self, scene: Scene) -> list[Path]:
        protocol = _single(scene, self.instance)
        attack = protocol.oracle(scene.family).optimizee
        if not isinstance(attack, BlackBoxAttack):
            raise InvalidInput("optimizee", scene.family.name, "an attack on images")
        learned = scene.method(LEARNED)
        pictures = variance_pictures(learned, scene.methods, attack, protocol.steps, protocol.seed)
        path = scene.folder / "variance.safetensors"
        save_tensors(path, pictures)
        arrays = {name: picture.numpy() for name, picture in pictures.items()}
        return [path, variance_images(arrays, _figure(scene, "variance"))]


@dataclass(frozen=True)
class Probabilities:
    """ZO-NGD figure A2b: the victim's probabilities of the protocol's clean images."""

    ranks: int = 10

    def __call__(self, scene: Scene) -> list[Path]:
        family, protocol = scene.family, scene.protocol
        if not isinstance(family, AttackFamily):
            raise InvalidInput("optimizee", family.name, "an attack on images")
        protocol.require_instances(family.sizes[protocol.split])
        rows = protocol.first + torch.arange(protocol.instances)
        images, _ = family.examples(protocol.split, rows)
        table = probability_distribution(family.victim, images, self.ranks)
        figure = probabilities_figure(table, _figure(scene, "probabilities"))
        return [_table(scene, "probabilities", table), figure]


def _single(scene: Scene, instance: int) -> Protocol:
    available = scene.family.sizes[scene.protocol.split]
    known = 0 <= instance < available
    require(known, "instance", instance, f"0 to {available - 1}, one of the split's instances")
    return replace(scene.protocol, instances=1, trials=1, first=instance)


def _table(scene: Scene, name: str, table: pd.DataFrame) -> Path:
    path = scene.folder / f"{name}.csv"
    write_summary(path, table)
    return path


def _figure(scene: Scene, name: str) -> Path:
    return scene.folder / "figures" / f"{name}.png"

"""`zol2l train-victim`: train the optimizee's victim, or find it in the cache."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import nn

from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.folders import data_root, store
from zol2l.data.cache import cache_folder
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput
from zol2l.networks.checkpoints import (
    VictimCard,
    cached_victim,
    checkpoint_path,
    frozen,
    load_victim,
    save_victim,
)
from zol2l.networks.convolutional import parameter_count
from zol2l.networks.labels import check_labels
from zol2l.optimizees.attack_family import correctly_classified
from zol2l.reporting.tracking import Job
from zol2l.storage.code import CODE, code_of
from zol2l.storage.lock import alone

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Say where the victim is and what it is worth."""
    if "victim" not in cfg.optimizee:
        raise InvalidInput("optimizee", cfg.optimizee.name, "has no victim; name an attack")
    network, data, card = ensure_victim(cfg)
    if card is None:
        correct = correctly_classified(network, data.test_images, data.test_labels)
        log.info(
            "Victim %s, which came trained: test accuracy %.2f %% of %d images, %d parameters",
            cfg.optimizee.victim.name, 100 * len(correct) / len(data.test_labels),
            len(data.test_labels), parameter_count(network),
        )  # fmt: skip


def ensure_victim(cfg: DictConfig) -> tuple[nn.Module, ImageData, VictimCard | None]:
    """The frozen victim, its data and its card; trained and cached where that was not done yet. One
    without `training` comes trained: it has no card, and nothing is cached.
    """
    victim = cfg.optimizee.victim
    data: ImageData = build(victim.data, root=data_root(cfg))
    if "training" in victim:
        network, card = ensure_trained(
            cfg, identity_of(victim), partial(build, victim.network), data
        )
        return network, data, card
    network = build(victim.network)
    check_labels(network, data, comes_trained=True)
    return frozen(network), data, None


def ensure_trained(
    cfg: DictConfig,
    configuration: dict[str, Any],
    make: Callable[[], nn.Module],
    data: ImageData,
) -> tuple[nn.Module, VictimCard]:
    """The frozen network of a configuration with name and `training`, trained on `data` and cached
    where that was not done yet, and its card.
    """
    network = make()
    check_labels(network, data, comes_trained=False)
    if data.identity:
        configuration = {**configuration, "data_identity": data.identity}
    code = code_of("lightning_modules.victim_training.VictimTraining")
    configuration = {**configuration, CODE: code}
    path = checkpoint_path(cache_folder(data_root(cfg), "victims"), configuration)
    with alone(path.parent, path.stem):
        card = cached_victim(path, network, configuration)
        if card is None:
            network = make()
            card = _train(cfg, network, data, configuration, path)
    log.info(
        "Victim %s: test accuracy %.2f %%, %d parameters, %s",
        configuration["name"], 100 * card.test_accuracy, card.parameters, path,
    )  # fmt: skip
    return frozen(network), card


def _train(
    cfg: DictConfig, network: nn.Module, data: ImageData, configuration: dict[str, Any], path: Path
) -> VictimCard:
    from lightning_modules.fit import fit_victim  # with Lightning, seconds that few need

    def keep(figures: dict[str, float]) -> Path:
        card = VictimCard(configuration, figures["test_accuracy"], parameter_count(network))
        save_victim(path, network, card)
        return path

    told, folder = configuration["training"], store(cfg) / "victim"
    job = Job(plain(cfg.logger), folder, cfg.run_name, "train-victim", told)
    fit_victim(
        network=network,
        data=data,
        settings=told,
        trainer=plain(cfg.trainer),
        job=job,
        checkpoint=path.with_suffix(".ckpt"),
        keep=keep,
    )
    return load_victim(path, network, configuration)

"""`zol2l train-victim`: train the optimizee's victim, or find it in the cache."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import nn

from zol2l.build import build, imported, plain
from zol2l.commands.objects import data_root, store
from zol2l.errors import InvalidInput
from zol2l.optimizees.attack_family import correctly_classified
from zol2l.victims.cache import cache_folder
from zol2l.victims.checkpoints import (
    VictimCard,
    cached_victim,
    checkpoint_path,
    frozen,
    save_victim,
)
from zol2l.victims.datasets import ImageData
from zol2l.victims.labels import check_labels
from zol2l.victims.networks import parameter_count

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
    root = data_root(cfg)
    data: ImageData = build(victim.data, root=root)
    network: nn.Module = build(victim.network)
    check_labels(network, data, comes_trained="training" not in victim)
    if "training" not in victim:
        return frozen(network), data, None
    configuration = plain(victim)
    if data.identity:
        configuration["data_identity"] = data.identity
    path = checkpoint_path(cache_folder(root, "victims"), configuration)
    card = cached_victim(path, network, configuration)
    if card is None:
        network = build(victim.network)
        card = _train(cfg, network, data, configuration, path)
    log.info(
        "Victim %s: test accuracy %.2f %%, %d parameters, %s",
        victim.name, 100 * card.test_accuracy, card.parameters, path,
    )  # fmt: skip
    return frozen(network), data, card


def _train(
    cfg: DictConfig, network: nn.Module, data: ImageData, configuration: dict[str, Any], path: Path
) -> VictimCard:
    accuracy = imported("lightning_modules.fit.fit_victim")(
        network=network,
        data=data,
        settings=configuration["training"],
        trainer=plain(cfg.trainer),
        logging=plain(cfg.logger),
        folder=store(cfg) / "victim",
        run_name=cfg.run_name,
        checkpoint=path.with_suffix(".ckpt"),
    )
    card = VictimCard(configuration, accuracy, parameter_count(network))
    save_victim(path, network, card)
    return card

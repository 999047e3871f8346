"""`zol2l adv-train`: train robust classifiers, and the learned maximizers beside them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from lightning_modules.fit import fit_robust
from zol2l.commands.build import build, plain
from zol2l.commands.defense_training import adversarial_training, check_defenses
from zol2l.commands.robust import build_maximizer, chosen_defenses, player_path, robust_data
from zol2l.commands.trained_players import training_settings
from zol2l.data.datasets import ImageData
from zol2l.machine.provenance import provenance
from zol2l.maximizers import Maximizer
from zol2l.networks.convolutional import parameter_count
from zol2l.reporting.tracking import Job
from zol2l.storage.bad_files import intact
from zol2l.storage.learned_weights import read_card_of, save_part
from zol2l.storage.lock import alone
from zol2l.storage.stage import claim, freed_if_diverged

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Train what is missing: each chosen defense with each seed, and the surrogates."""
    defenses = chosen_defenses(cfg)
    data = robust_data(cfg)
    check_defenses(cfg, data)
    for seed in cfg.seeds:
        for name, defense in defenses.items():
            ensure_defense(cfg, name, defense, int(seed), data)
    for name, defense in cfg.surrogates.items():
        ensure_defense(cfg, str(name), defense, cfg.surrogate_seed, data)


def defense_settings(
    cfg: DictConfig, defense: DictConfig, seed: int, data: ImageData
) -> dict[str, Any]:
    """All that the trained players depend on."""
    trainer = {k: v for k, v in plain(cfg.trainer).items() if k != "log_every_n_steps"}
    shown = {"data": plain(cfg.data), "data_identity": data.identity}
    threat = {"threat": plain(cfg.threat), "seed": seed}
    return {**training_settings(cfg, defense), **threat, **shown, "trainer": trainer}


def ensure_defense(
    cfg: DictConfig, name: str, defense: DictConfig, seed: int, data: ImageData
) -> None:
    """Train a defense with a seed, unless that was done."""
    path = player_path(cfg, name, seed, "classifier")
    settings = defense_settings(cfg, defense, seed, data)
    with alone(path.parent):
        if path.exists():
            claim(path.parent, settings)
        maximizer = build_maximizer(defense.maximizer, data)
        if intact(path, lambda path: _cards(path, maximizer)) is not None:
            log.info("%s, seed %d, is there: %s", name, seed, path)
            return
        module = adversarial_training(cfg, defense, seed, data, build(cfg.recipe.training))
        claim(path.parent, settings)
        uses = list(filter(None, plain(defense.start).values()))
        with freed_if_diverged(path.parent):
            _train(cfg, module, path, settings, uses)
    figures = read_card_of(path)["validation"]
    shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
    log.info("Trained %s, seed %d: %s, %s", name, seed, path, shown)


def _cards(path: Path, maximizer: Maximizer) -> dict[str, Any]:
    """The card of the classifier at `path`; the maximizer that has learned must be there too."""
    if parameter_count(maximizer):
        read_card_of(path.with_stem("maximizer"))
    return read_card_of(path)


def _train(
    cfg: DictConfig, module: Any, path: Path, settings: dict[str, Any], uses: list[str]
) -> None:
    """Train, and keep both players beside `path`, the classifier's."""

    def keep(figures: dict[str, float]) -> Path:
        card = {"settings": settings, "validation": figures, **provenance()}
        if parameter_count(module.maximizer):
            save_part(path.with_stem("maximizer"), module.maximizer, card)
        save_part(path, module.result, card)
        return path

    files = [Path(file) for file in uses]
    job = Job(plain(cfg.logger), path.parent, cfg.run_name, "adv-train", settings, files)
    fit_robust(
        module, trainer=plain(cfg.trainer), job=job, keep=keep,
        checkpoint_seconds=cfg.recipe.checkpoint_seconds,
    )  # fmt: skip

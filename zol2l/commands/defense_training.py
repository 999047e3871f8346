"""The Lightning module that trains a defense, and what is refused before any is trained."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from lightning_modules.adversarial_training import AdversarialTraining
from lightning_modules.fit import fit_robust
from zol2l.commands.build import build, check_arguments, key_of, plain, with_whole_key
from zol2l.commands.robust import (
    build_classifier,
    build_maximizer,
    build_objective,
    build_threat,
    chosen_defenses,
)
from zol2l.commands.trained_players import training_settings
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput, require
from zol2l.networks.convolutional import parameter_count
from zol2l.storage.learned_weights import load_part

PARTS = ("start", "maximizer", "objective", "learner")


def check_defenses(cfg: DictConfig, data: ImageData) -> None:
    """Make what trains each defense and each surrogate, so that a mistake in the last one is found
    before the first is trained.
    """
    seconds = {"checkpoint_seconds": cfg.recipe.checkpoint_seconds}
    try:
        check_arguments(fit_robust, seconds)
    except InvalidInput as error:
        raise with_whole_key(error, cfg.recipe) from None
    recipe = build(cfg.recipe.training)
    for defense in (*chosen_defenses(cfg).values(), *cfg.surrogates.values()):
        for part in PARTS:
            given, allowed = defense.get(part), "settings, as in conf/defense/learned.yaml"
            require(isinstance(given, DictConfig), f"{key_of(defense)}.{part}", given, allowed)
        training_settings(cfg, defense)
        adversarial_training(cfg, defense, 0, data, recipe).configure_optimizers()
        begun = defense.start.classifier is not None or not defense.frozen
        allowed = "a file that adv-train has written, since with frozen the classifier stays so"
        require(begun, f"{key_of(defense)}.start.classifier", None, allowed)


def adversarial_training(
    cfg: DictConfig, defense: DictConfig, seed: int, data: ImageData, recipe: Any
) -> AdversarialTraining:
    """The Lightning module that trains a defense, its players new or as `start` says."""
    own = {name: defense[name] for name in ("frozen", "learner_clip")}
    torch.manual_seed(seed)
    classifier = build_classifier(cfg, data)
    maximizer = build_maximizer(defense.maximizer, data)
    start = f"{key_of(defense)}.start"
    for player, network in (("classifier", classifier), ("maximizer", maximizer)):
        if file := defense.start[player]:
            _start(f"{start}.{player}", file, network, player)
    try:
        check_arguments(AdversarialTraining, own)
        return AdversarialTraining(
            classifier, maximizer, build_objective(defense.objective), build_threat(cfg),
            data.train_images, data.train_labels, recipe,
            partial(_optimizer, cfg.recipe.optimizer), partial(_optimizer, defense.learner),
            seed=seed, **own,
        )  # fmt: skip
    except InvalidInput as error:
        raise with_whole_key(with_whole_key(error, defense), cfg.recipe.training) from None


def _start(field: str, file: str, network: torch.nn.Module, player: str) -> None:
    """Load the weights that a player starts from."""
    allowed = f"null: {type(network).__name__} has no weights"
    require(parameter_count(network) > 0, field, file, allowed)
    try:
        load_part(Path(file), network)
    except InvalidInput as error:
        why = error.allowed.partition(";")[0]
        raise InvalidInput(field, file, f"weights of this {player} ({why})") from error


def _optimizer(config: DictConfig, parameters: Any) -> torch.optim.Optimizer:
    try:
        optimizer: torch.optim.Optimizer = build(config, params=parameters)
    except (TypeError, ValueError) as error:
        given = {k: v for k, v in plain(config).items() if k != "_target_"}
        raise InvalidInput(key_of(config), given, f"torch refuses it: {error}") from error
    return optimizer

"""`zol2l meta-train`: learn the parts that the chosen methods need, stage by stage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from omegaconf import DictConfig
from pytorch_lightning import seed_everything

from lightning_modules.fit import fit_optimizer
from lightning_modules.instances import InstanceData
from lightning_modules.meta_training import MetaTraining
from zol2l.commands.build import build, check_arguments, identity_of, plain
from zol2l.commands.meta_settings import ELSEWHERE, named, settings_of_part
from zol2l.commands.objects import (
    family_of,
    learned_parts,
    optimizee_settings,
    weights_path,
)
from zol2l.errors import InvalidInput, require
from zol2l.machine.provenance import provenance
from zol2l.meta_gradient import MetaGradient, autograd_gradient
from zol2l.optimizees import OptimizeeFamily
from zol2l.optimizer import ComposedOptimizer
from zol2l.reporting.tracking import Job
from zol2l.sampling import GaussianSampling
from zol2l.storage.bad_files import intact
from zol2l.storage.code import CODE, code_of
from zol2l.storage.learned_weights import load_part, read_card_of, save_part
from zol2l.storage.lock import alone
from zol2l.storage.stage import claim, freed_if_diverged
from zol2l.storage.weights_file import identity

log = logging.getLogger(__name__)

T = TypeVar("T")


def main(cfg: DictConfig) -> None:
    """Train every missing part; stage 1 is the update rule, stage 2 the sampling rule."""
    parts = learned_parts(cfg)
    if not parts:
        raise InvalidInput("ablation", None, "the chosen methods have nothing to learn")
    family = family_of(cfg)
    for (owner, part), method in parts.items():
        with alone(weights_path(cfg, owner, part).parent):
            _ensure_part(cfg, family, method, owner, part)


def meta_gradient(cfg: DictConfig) -> MetaGradient:
    """Where the derivative of the problem comes from. `autograd` has no settings, so that stages
    trained before there was a choice keep their identity.
    """
    chosen = cfg.meta_training.gradient
    return build(chosen) if chosen else autograd_gradient


def stage_settings(
    cfg: DictConfig, family: OptimizeeFamily, method: DictConfig, part: str
) -> dict[str, Any]:
    """All settings that the weights of `part` depend on. An update rule is learned under Gaussian
    directions, whatever its method samples by; a sampling rule under its method's update rule.
    Fine-tuning depends on the weights it starts from.
    """
    training = settings_of_part(cfg, method, part)
    if not _has_curriculum(cfg, method, part):
        training.pop("curriculum")
    optimizer = identity_of(method.optimizer)
    if part == "update":
        optimizer["sampling"] = {"directions": optimizer["sampling"]["directions"]}
    elif "update" in method.learned:
        weights = weights_path(cfg, method.learned["update"], "update")
        optimizer["update"] = {**optimizer["update"], "weights": identity(weights)}
    problem = {**optimizee_settings(cfg), "victim_weights": family.identity}
    if start := _start(cfg, method, part):
        problem["starts_from"] = identity(start)
    known = {"part": part, **problem, "meta_training": training, "optimizer": optimizer}
    return {**known, CODE: code_of("lightning_modules.meta_training.MetaTraining")}


def _has_curriculum(cfg: DictConfig, method: DictConfig, part: str) -> bool:
    """A curriculum is for update rules that begin with nothing."""
    scratch = part == "update" and method.get("source") is None
    return scratch and cfg.meta_training.curriculum is not None


def _ensure_part(
    cfg: DictConfig, family: OptimizeeFamily, method: DictConfig, owner: str, part: str
) -> None:
    path = weights_path(cfg, owner, part)
    settings = stage_settings(cfg, family, method, part)
    training = settings["meta_training"]
    gradient = meta_gradient(cfg)
    if not path.exists():
        one = family.optimizee("train", torch.tensor([0]))
        gradient(one, one.start())  # a problem without a derivative is refused before the claim
    seed_everything(training["seed"], verbose=False)
    optimizer = _untrained(cfg, method, part)
    module = _call(
        MetaTraining,
        partial(named, cfg, method, part),
        optimizer=optimizer,
        family=family,
        schedule=build(cfg.meta_training.truncation),
        stage=part,
        gradient=gradient,
        curriculum=build(cfg.meta_training.curriculum) if "curriculum" in training else None,
        **{k: v for k, v in training.items() if k not in ELSEWHERE},
    )
    data = _call(
        InstanceData,
        partial(named, cfg, method, part),
        instances=family.sizes["train"],
        batch_size=training["batch_size"],
        seed=training["seed"],
    )
    claim(path.parent, settings)
    if intact(path, lambda path: load_part(path, getattr(optimizer, part))) is not None:
        log.info("Learned %s of %s is there: %s", part, owner, path)
        return

    def keep(figures: dict[str, float]) -> Path:
        card = {"task": family.name, "part": part, "settings": settings, "validation": figures}
        save_part(path, getattr(optimizer, part), {**card, **provenance()})
        return path

    uses = [*family.files, *_used(cfg, method, part)]
    stage = f"meta-train-{part}"
    job = Job(plain(cfg.logger), path.parent, cfg.run_name, stage, settings, uses)
    with freed_if_diverged(path.parent):
        fit_optimizer(module, data, trainer=plain(cfg.trainer), job=job, keep=keep)
    figures = read_card_of(path)["validation"]
    log.info("Learned %s of %s: %s, validation %s", part, owner, path, _shown(figures))


def _start(cfg: DictConfig, method: DictConfig, part: str) -> Path | None:
    """The weights that a fine-tuned part starts from."""
    source = method.get("source")
    if source is None:
        return None
    path = weights_path(cfg, source, part)
    require(path.exists(), f"{method.name}.source", source, f"a learned optimizer; no {path}")
    return path


def _used(cfg: DictConfig, method: DictConfig, part: str) -> list[Path]:
    """Files of weights that a stage starts from or stands on."""
    update = part == "sampling" and method.learned.get("update")
    before = weights_path(cfg, update, "update") if update else None
    return [path for path in (before, _start(cfg, method, part)) if path is not None]


def _call(
    function: Callable[..., T], named: Callable[[InvalidInput], InvalidInput], **arguments: Any
) -> T:
    try:
        check_arguments(function, arguments)
        return function(**arguments)
    except InvalidInput as error:
        raise named(error) from None


def _untrained(cfg: DictConfig, method: DictConfig, part: str) -> ComposedOptimizer:
    """The method with a fresh `part`, or the one to fine-tune. Stage 1 sees Gaussian directions;
    stage 2 is given the update rule that stage 1 has learned (ZO-L2L section 3.3).
    """
    optimizer: ComposedOptimizer = build(method.optimizer)
    if part == "update":
        optimizer.sampling = GaussianSampling(optimizer.sampling.directions)
    elif "update" in method.learned:
        load_part(weights_path(cfg, method.learned["update"], "update"), optimizer.update)
    if start := _start(cfg, method, part):
        load_part(start, getattr(optimizer, part))
    return optimizer


def _shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())

"""`zol2l meta-train`: learn the parts that the chosen methods need, stage by stage."""

from __future__ import annotations

import logging
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning import seed_everything

from zol2l.build import build, imported, plain
from zol2l.commands.objects import (
    family_of,
    learned_parts,
    optimizee_settings,
    weights_path,
)
from zol2l.errors import InvalidInput
from zol2l.learned_weights import load_part, save_part
from zol2l.optimizer import ComposedOptimizer
from zol2l.provenance import provenance
from zol2l.sampling import GaussianSampling
from zol2l.stage import claim

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Train every missing part; stage 1 is the update rule, stage 2 the sampling rule."""
    parts = learned_parts(cfg)
    if not parts:
        raise InvalidInput("ablation", None, "the chosen methods have nothing to learn")
    family = None
    for (owner, part), method in parts.items():
        path = weights_path(cfg, owner, part)
        settings = stage_settings(cfg, method, part)
        claim(path.parent / part, settings)
        if path.exists():
            log.info("Learned %s of %s is there: %s", part, owner, path)
            continue
        family = family or family_of(cfg)
        _train(cfg, family, method, owner, part, settings)


def stage_settings(cfg: DictConfig, method: DictConfig, part: str) -> dict[str, Any]:
    """All settings that the weights of `part` depend on."""
    training = plain(cfg.meta_training)
    for name in ("meta_steps", "rate"):
        training[name] = training[name][part]
    settings = {"meta_training": training, "optimizer": plain(method.optimizer)}
    return {"part": part, **optimizee_settings(cfg), **settings}


def _train(
    cfg: DictConfig,
    family: Any,
    method: DictConfig,
    owner: str,
    part: str,
    settings: dict[str, Any],
) -> None:
    path = weights_path(cfg, owner, part)
    training = cfg.meta_training
    seed_everything(training.seed, verbose=False)
    optimizer = _untrained(cfg, method, part)
    schedule = build(training.truncation)
    common = {"family": family, "seed": training.seed}
    module = imported("lightning_modules.meta_training.MetaTraining")(
        optimizer=optimizer, schedule=schedule, stage=part, meta_steps=training.meta_steps[part],
        rate=training.rate[part], regularization=training.regularization, clamp=training.clamp,
        **common,
    )  # fmt: skip
    data = imported("lightning_modules.instances.InstanceData")(
        batch_size=training.batch_size,
        **common,
    )
    figures: dict[str, float] = imported("lightning_modules.fit.fit_optimizer")(
        module=module, data=data, validate_every=training.validate_every,
        trainer=plain(cfg.trainer), logging=plain(cfg.logger), folder=path.parent / part,
        run_name=cfg.run_name, config=settings,
    )  # fmt: skip
    card = {"task": family.name, "part": part, "settings": settings, "validation": figures}
    save_part(path, getattr(optimizer, part), {**card, **provenance()})
    log.info("Learned %s of %s: %s, validation %s", part, owner, path, _shown(figures))


def _untrained(cfg: DictConfig, method: DictConfig, part: str) -> ComposedOptimizer:
    """The method with a fresh `part`. Stage 1 sees Gaussian directions; stage 2 is given the update
    rule that stage 1 has learned (ZO-L2L section 3.3).
    """
    optimizer: ComposedOptimizer = build(method.optimizer)
    if part == "update":
        optimizer.sampling = GaussianSampling(optimizer.sampling.directions)
    elif "update" in method.learned:
        load_part(weights_path(cfg, method.learned["update"], "update"), optimizer.update)
    return optimizer


def _shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())

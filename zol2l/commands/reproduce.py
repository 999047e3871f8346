"""`zol2l reproduce`: the whole chain of an experiment, skipping what is already done."""

from __future__ import annotations

import torch
from omegaconf import DictConfig

from zol2l.build import build
from zol2l.commands import evaluate, meta_train, tune
from zol2l.commands.objects import chosen_methods, learned_parts
from zol2l.errors import InvalidInput, require
from zol2l.evaluation.protocol import Protocol
from zol2l.run import require_affordable

ANYWHERE = torch.zeros(1, 1)
"""A start point: what a first step costs does not depend on the problem."""


def main(cfg: DictConfig) -> None:
    """Victim (where needed), meta-training, tuning, evaluation and figures."""
    if cfg.experiment_name is None:
        raise InvalidInput("experiment", None, "name one; `zol2l list` shows them")
    check(cfg)
    if learned_parts(cfg):
        meta_train.main(cfg)
    if any(method.tuned for method in chosen_methods(cfg).values()):
        tune.main(cfg)
    evaluate.main(cfg)


def check(cfg: DictConfig) -> None:
    """Build what can be built at once, so that a mistake in the last stage is found before the
    first one has run for an hour.
    """
    protocol: Protocol = build(cfg.evaluation)
    available = cfg.optimizee.family[protocol.split]
    allowed = f"at most optimizee.family.{protocol.split}={available}"
    fits = protocol.instances <= available
    require(fits, "evaluation.instances", protocol.instances, allowed)
    build(cfg.tuning)
    build(cfg.meta_training.truncation)
    meta_train.meta_gradient(cfg)
    for method in chosen_methods(cfg).values():
        require_affordable(build(method.optimizer), ANYWHERE, protocol.budget)

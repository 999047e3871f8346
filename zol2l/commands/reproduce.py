"""`zol2l reproduce`: the whole chain of an experiment, skipping what is already done."""

from __future__ import annotations

import pandas as pd
import torch
from omegaconf import DictConfig

from zol2l.build import build
from zol2l.commands import adv_evaluate, adv_train, analyze, attack, evaluate, meta_train, tune
from zol2l.commands.objects import chosen_methods, learned_parts
from zol2l.commands.points import at_point, compare_points, points_of
from zol2l.commands.robust import chosen_defenses, robust_data
from zol2l.commands.robust_analyses import ATTACKERS, CLASSIFIERS, needs
from zol2l.commands.trained_players import check_attackers
from zol2l.commands.tune_attacks import chosen_attacks, require_budget
from zol2l.errors import InvalidInput
from zol2l.evaluation.attack_results import summarize_attacks
from zol2l.evaluation.protocol import Protocol
from zol2l.evaluation.summary import summarize_point
from zol2l.lock import first_node
from zol2l.oracle import require_affordable
from zol2l.run import first_step

ANYWHERE = torch.zeros(1, 1)
"""A start point: what a first step costs does not depend on the problem."""


def main(cfg: DictConfig) -> None:
    """Victim (where needed), meta-training, tuning, then evaluation and figures: once, at each of
    the experiment's `points`, or its `analysis` in their place. Of robust classifiers: training,
    then tests or an analysis.
    """
    if cfg.experiment_name is None:
        raise InvalidInput("experiment", None, "name one; `zol2l list` shows them")
    if "defenses" in cfg:
        check_robust(cfg)
        if CLASSIFIERS in needs(cfg):
            adv_train.main(cfg)
        if first_node():
            adv_evaluate.main(cfg)
        return
    check(cfg)
    if not chosen_attacks(cfg) and learned_parts(cfg):
        meta_train.main(cfg)
    if not first_node():
        return
    points = points_of(cfg)
    if points is not None:
        compare_points(cfg, points, tune_and_evaluate)
        return
    if cfg.analysis is None:
        tune_and_evaluate(cfg)
        return
    tune_if_needed(cfg)
    analyze.main(cfg)


def tune_and_evaluate(cfg: DictConfig) -> pd.DataFrame:
    """The part of the chain that is repeated where an experiment compares several points: the
    summary of its methods, or of its attacks.
    """
    tune_if_needed(cfg)
    if chosen_attacks(cfg):
        return summarize_attacks(attack.main(cfg))
    return summarize_point(evaluate.main(cfg))


def tune_if_needed(cfg: DictConfig) -> None:
    """Tune the methods, or attacks, that have something to tune."""
    chosen = chosen_attacks(cfg) or chosen_methods(cfg)
    if any(one.tuned for one in chosen.values()):
        tune.main(cfg)


def check_robust(cfg: DictConfig) -> None:
    """The same for robust classifiers, whose training takes longest."""
    data = robust_data(cfg)
    if ATTACKERS in needs(cfg):
        check_attackers(cfg, data, trained=chosen_defenses(cfg))
    build(cfg.robustness)


def check(cfg: DictConfig) -> None:
    """Build what can be built at once, so that a mistake in the last stage is found before the
    first one has run for an hour.
    """
    points = points_of(cfg)
    for at in [cfg] if points is None else [at_point(cfg, points, v) for v in points.at]:
        _check(at)
    if cfg.analysis is not None:
        build(cfg.analysis)
    build(cfg.tuning)
    build(cfg.meta_training.truncation)
    meta_train.meta_gradient(cfg)


def _check(cfg: DictConfig) -> None:
    if chosen_attacks(cfg):
        attacking = require_budget(cfg)
        attacking.require_images(cfg.optimizee.family[attacking.split])
        return
    protocol: Protocol = build(cfg.evaluation)
    protocol.require_instances(cfg.optimizee.family[protocol.split])
    for name, method in chosen_methods(cfg).items():
        first = first_step(build(method.optimizer), ANYWHERE)
        require_affordable(protocol.budget, first, "evaluation.budget", name)

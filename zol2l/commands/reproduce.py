"""`zol2l reproduce`: the whole chain of an experiment, skipping what is already done."""

from __future__ import annotations

import pandas as pd
from omegaconf import DictConfig

from zol2l.commands import adv_evaluate, adv_train, analyze, attack, evaluate, meta_train, tune
from zol2l.commands.compare import compare_points
from zol2l.commands.objects import chosen_attacks, chosen_methods, learned_parts
from zol2l.commands.points import points_of
from zol2l.commands.robust import chosen_defenses, robust_data
from zol2l.commands.robust_analyses import ATTACKERS, CLASSIFIERS, needs
from zol2l.commands.trained_players import check_attackers
from zol2l.errors import InvalidInput
from zol2l.evaluation.attack_results import summarize_attacks
from zol2l.evaluation.summary import summarize_point
from zol2l.storage.lock import first_node


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
    """Find mistakes in tests of robust classifiers before these are trained for hours."""
    data = robust_data(cfg)
    if ATTACKERS in needs(cfg):
        check_attackers(cfg, data, trained=chosen_defenses(cfg))

"""`zol2l reproduce`: the whole chain of an experiment, skipping what is already done."""

from __future__ import annotations

import logging

from omegaconf import DictConfig

from zol2l.commands import evaluate, meta_train, tune
from zol2l.commands.objects import chosen_methods, learned_parts
from zol2l.errors import InvalidInput

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> None:
    """Victim (where needed), meta-training, tuning, evaluation and figures."""
    if cfg.experiment_name is None:
        raise InvalidInput("experiment", None, "name one; `zol2l list` shows them")
    if learned_parts(cfg):
        meta_train.main(cfg)
    if any(method.tuned for method in chosen_methods(cfg).values()):
        tune.main(cfg)
    evaluate.main(cfg)

"""`zol2l evaluate`: many methods on the same problems; results, summary table and figures."""

from __future__ import annotations

import hashlib
import logging
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from zol2l.build import build, plain
from zol2l.commands.objects import (
    build_method,
    chosen_methods,
    family_of,
    optimizee_settings,
    weights_path,
)
from zol2l.commands.tune import tuned_settings
from zol2l.evaluation.protocol import Method, Protocol, evaluate
from zol2l.evaluation.summary import stopped, summarize, write_summary
from zol2l.plots.report import draw_figures
from zol2l.progress import progress_bars
from zol2l.report import print_summary
from zol2l.tracking import log_evaluation, wandb_run
from zol2l.victims.checkpoints import fingerprint

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> pd.DataFrame:
    """Evaluate the chosen methods into the run folder and return the summary."""
    folder = Path(cfg.paths.run_dir)
    protocol: Protocol = build(cfg.evaluation)
    methods = {name: _method(cfg, method) for name, method in chosen_methods(cfg).items()}
    family = family_of(cfg)
    with progress_bars() as show:
        results = evaluate(methods, family, protocol, folder, show)
    summary = summarize(results)
    write_summary(folder / "summary.csv", summary)
    figures = draw_figures(folder)
    _track(cfg, folder, results, summary, figures)
    print_summary(summary, len(stopped(results)))
    for path in (folder / "results.parquet", folder / "summary.csv", *figures):
        log.info("Written: %s", path)
    return summary


def _method(cfg: DictConfig, method: DictConfig) -> Method:
    """How to build the method, and a fingerprint of all that its results depend on."""
    settings = tuned_settings(cfg, method.name)
    weights = {
        part: hashlib.sha256(weights_path(cfg, owner, part).read_bytes()).hexdigest()
        for part, owner in method.learned.items()
        if weights_path(cfg, owner, part).exists()
    }
    identity: dict[str, Any] = {
        **optimizee_settings(cfg),
        "optimizer": plain(method.optimizer),
        "evaluation": plain(cfg.evaluation),
        "tuned": settings,
        "weights": weights,
    }
    return Method(partial(build_method, cfg, method, settings), fingerprint(identity))


def _track(
    cfg: DictConfig,
    folder: Path,
    results: pd.DataFrame,
    summary: pd.DataFrame,
    figures: list[Path],
) -> None:
    config = plain(cfg)
    with wandb_run(plain(cfg.logger), folder, cfg.run_name, "evaluate", config) as run:
        if run is not None:
            log_evaluation(run, results, summary, figures)

"""`zol2l evaluate`: many methods on the same problems; results, summary table and figures."""

from __future__ import annotations

import shutil
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.finish import finish
from zol2l.commands.folders import store
from zol2l.commands.objects import (
    build_method,
    chosen_methods,
    family_of,
    problem_settings,
    warn_of_learned,
    weights_path,
)
from zol2l.commands.search import tuned_path
from zol2l.commands.tune import tuned_settings
from zol2l.evaluation.protocol import Method, Protocol, evaluate
from zol2l.evaluation.summary import stopped_runs, summarize, write_summary
from zol2l.optimizees import OptimizeeFamily
from zol2l.plots.report import draw_figures
from zol2l.reporting.tables import print_summary
from zol2l.reporting.tracking import log_evaluation
from zol2l.storage.code import CODE, RUN, code_of
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.learned_weights import read_card_of
from zol2l.storage.made_of import MadeOf, definition, going_on
from zol2l.storage.weights_file import module_identity
from zol2l.terminal.progress import progress_bars


def main(cfg: DictConfig) -> pd.DataFrame:
    """Evaluate the chosen methods into the run folder and return the results."""
    folder = Path(cfg.paths.run_dir)
    protocol: Protocol = build(cfg.evaluation)
    family = family_of(cfg)
    methods = evaluated_methods(cfg, family)
    of = {
        "command": "evaluate",
        **problem_settings(cfg, family),
        "evaluation": plain(cfg.evaluation),
    }
    kept = going_on(folder, of, methods)
    with progress_bars() as show:
        results = evaluate(methods, family, protocol, folder, show, store(cfg) / "parts", kept)
    summary = summarize(results)
    write_summary(folder / "summary.csv", summary)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    figures = draw_figures(folder)
    print_summary(summary, sum(stopped_runs(results).values()))
    written = [folder / "results.parquet", folder / "summary.csv", *figures]
    show = partial(log_evaluation, results=results, summary=summary, figures=figures)
    defined = {name: method.definition for name, method in methods.items()}
    made = MadeOf(files_of(cfg, family), written, defined, own_files(cfg), of)
    finish(cfg, "evaluate", made, show)
    return results


def files_of(cfg: DictConfig, family: OptimizeeFamily) -> list[Path]:
    """What the chosen methods and problems are read from: victims, weights, tuned settings."""
    return [*family.files, *chain(*own_files(cfg).values())]


def own_files(cfg: DictConfig) -> dict[str, list[Path]]:
    """Weights and tuned settings of each chosen method."""
    files = {}
    for name, method in chosen_methods(cfg).items():
        weights = [weights_path(cfg, owner, part) for part, owner in method.learned.items()]
        files[name] = [*weights, *([tuned_path(cfg, name)] if method.tuned else [])]
    return files


def evaluated_methods(cfg: DictConfig, family: OptimizeeFamily) -> dict[str, Method]:
    """The chosen methods as tuned and learned in this run folder."""
    return {name: _method(cfg, family, method) for name, method in chosen_methods(cfg).items()}


def _method(cfg: DictConfig, family: OptimizeeFamily, method: DictConfig) -> Method:
    """The method's optimizer, and a fingerprint of all that its results depend on."""
    settings = tuned_settings(cfg, family, method) if method.tuned else {}
    optimizer = build_method(cfg, method, settings)
    warn_of_learned(cfg, method)
    depends_on = {
        **problem_settings(cfg, family),
        "optimizer": identity_of(method.optimizer),
        "tuned": settings,
        "weights": module_identity(optimizer),
        "evaluation": plain(cfg.evaluation),
        CODE: code_of(*RUN),
    }
    cards = [read_card_of(weights_path(cfg, o, p)) for p, o in method.learned.items()]
    learned = [card.get("settings", {}) for card in cards]
    defined = definition({"optimizer": depends_on["optimizer"], "tuned": settings}, *learned)
    return Method(optimizer, fingerprint(depends_on), defined)

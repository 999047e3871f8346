"""`zol2l adv-evaluate`: trained classifiers under many attackers; results, table and figures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig
from torch import nn

from zol2l.build import build, plain
from zol2l.commands.robust import (
    build_attacker,
    build_threat,
    chosen_defenses,
    robust_data,
    trained_classifier,
)
from zol2l.commands.robust_analyses import Scene
from zol2l.errors import require
from zol2l.evaluation.robust_results import accuracies, gradient_checks, summarize_robust
from zol2l.evaluation.robust_testing import RobustTest, run_tests
from zol2l.evaluation.robustness import RADII, Attacker, RobustnessProtocol
from zol2l.evaluation.summary import write_summary
from zol2l.plots.robust import draw_robust
from zol2l.progress import progress_bars
from zol2l.robust_report import print_checks, print_robust
from zol2l.stage import fingerprint
from zol2l.tracking import log_robust, wandb_run
from zol2l.victims.datasets import ImageData
from zol2l.weights_file import module_identity

log = logging.getLogger(__name__)

SWEPT = "pgd10"
"""The attacker whose loss is followed over radii."""


def main(cfg: DictConfig) -> None:
    """The chosen defenses under the attackers, or under the configured analysis."""
    if cfg.get("analysis") is None:
        test(cfg)
        return
    analysis: Callable[[Scene], list[Path]] = build(cfg.analysis)
    for path in analysis(Scene(cfg, robust_data(cfg))):
        log.info("Written: %s", path)


def test(cfg: DictConfig) -> pd.DataFrame:
    """Attack every chosen defense with every attacker; return a row per test and image."""
    folder = Path(cfg.paths.run_dir)
    data, threat = robust_data(cfg), build_threat(cfg)
    protocol: RobustnessProtocol = build(cfg.robustness)
    protocol.require_images(len(data.test_images))
    tests = list(robust_tests(cfg, data, protocol))
    with progress_bars() as show:
        rows = run_tests(tests, data.test_images, data.test_labels, threat, protocol, folder, show)
    transfer = [name for name, one in cfg.attackers.items() if one.source is not None]
    table = accuracies(rows)
    summary, checks = summarize_robust(table), gradient_checks(rows, transfer)
    written = {"accuracies.csv": table, "summary.csv": summary, "gradient_checks.csv": checks}
    for name, frame in written.items():
        write_summary(folder / name, frame)
    figures = draw_robust(folder, rows)
    with wandb_run(plain(cfg.logger), folder, cfg.run_name, "adv-evaluate", plain(cfg)) as run:
        if run is not None:
            log_robust(run, summary, checks, figures)
    print_robust(summary, protocol.images)
    print_checks(checks)
    for path in (folder / "results.parquet", *(folder / name for name in written), *figures):
        log.info("Written: %s", path)
    return rows


def robust_tests(
    cfg: DictConfig, data: ImageData, protocol: RobustnessProtocol
) -> Iterator[RobustTest]:
    """Each defense and seed under each attacker, and under one of them at several radii."""
    defenses = chosen_defenses(cfg)
    require(len(defenses) > 0, "defense", None, "name one; `zol2l list` shows them")
    require(len(cfg.attackers) > 0, "attackers", None, "at least one; `zol2l list` shows them")
    surrogates = {
        name: trained_classifier(cfg, str(name), cfg.surrogate_seed, data)
        for name in cfg.surrogates
    }
    for method in defenses:
        for seed in cfg.seeds:
            classifier = trained_classifier(cfg, method, int(seed), data)
            for name, attacker in cfg.attackers.items():
                built = build_attacker(cfg, attacker, int(seed), data, surrogates)
                wanted = [(1.0, protocol.images)]
                if name == SWEPT:
                    few = min(protocol.radius_images, protocol.images)
                    wanted += [(factor, few) for factor in RADII if factor != 1]
                known = _fingerprint(cfg, attacker, data, classifier, built)
                for radius, images in wanted:
                    yield RobustTest(
                        method, int(seed), classifier, str(name), built,
                        fingerprint({"test": known, "images": images}), images, radius,
                    )  # fmt: skip


def _fingerprint(
    cfg: DictConfig,
    attacker: DictConfig,
    data: ImageData,
    classifier: nn.Module,
    built: Attacker,
) -> str:
    learned_by = cfg.defenses.get(attacker.learned_by) if attacker.learned_by else None
    return fingerprint(
        {
            "attacker": plain(attacker),
            "of": plain(learned_by.maximizer) if learned_by else None,
            "threat": plain(cfg.threat),
            "seed": cfg.robustness.seed,
            "data": [plain(cfg.data), data.identity],
            "classifier": module_identity(classifier),
            "maximizer": module_identity(built.maximizer),
            "source": module_identity(built.source) if built.source else None,
        }
    )

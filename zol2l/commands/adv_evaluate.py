"""`zol2l adv-evaluate`: trained classifiers under many attackers; results, table and figures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.finish import finish
from zol2l.commands.folders import store
from zol2l.commands.robust import (
    build_threat,
    chosen_defenses,
    known_defenses,
    player_path,
    robust_data,
)
from zol2l.commands.robust_analyses import ATTACKERS, CLASSIFIERS, Scene, needs, robust_analysis
from zol2l.commands.trained_players import build_attacker, check_attackers, trained_classifier
from zol2l.data.datasets import ImageData
from zol2l.evaluation.robust_results import (
    SWEPT,
    accuracies,
    gradient_checks,
    mean_losses,
    summarize_robust,
)
from zol2l.evaluation.robust_testing import RobustTest, run_tests
from zol2l.evaluation.robustness import Attacker, RobustnessProtocol, other_radii
from zol2l.evaluation.summary import write_summary
from zol2l.plots.robust import draw_robust
from zol2l.reporting.robust_tables import print_checks, print_losses, print_robust
from zol2l.reporting.tracking import log_figures, log_robust
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.made_of import MadeOf, definition, going_on
from zol2l.storage.weights_file import module_identity
from zol2l.terminal.progress import progress_bars


def main(cfg: DictConfig) -> None:
    """The chosen defenses under the attackers, or under the configured analysis."""
    data = robust_data(cfg)
    if ATTACKERS in needs(cfg):
        check_attackers(cfg, data, trained=())
    if cfg.get("analysis") is None:
        test(cfg, data)
        return
    written = robust_analysis(cfg)(Scene(cfg, data))
    uses = weights_of(cfg) if CLASSIFIERS in needs(cfg) else []
    figures = [path for path in written if path.suffix == ".png"]
    finish(cfg, "adv-evaluate", MadeOf(uses, written), partial(log_figures, figures=figures))


def test(cfg: DictConfig, data: ImageData) -> pd.DataFrame:
    """Attack every chosen defense with every attacker; return a row per test and image."""
    folder = Path(cfg.paths.run_dir)
    protocol: RobustnessProtocol = build(cfg.robustness)
    shown = data.test_images[: protocol.images], data.test_labels[: protocol.images]
    threat = build_threat(cfg)
    each = len(cfg.attackers) + len(other_radii(threat)) * (SWEPT in cfg.attackers)
    total = len(chosen_defenses(cfg)) * len(cfg.seeds) * each
    tests, parts = robust_tests(cfg, data, protocol), store(cfg) / "parts"
    of, chosen = _table_of(cfg, data), chosen_defenses(cfg)
    kept = going_on(folder, of, chosen)
    with progress_bars() as show:
        rows = run_tests(tests, total, shown, threat, protocol, folder, parts, show, kept)
    transfer = [name for name, one in cfg.attackers.items() if one.source is not None]
    table = accuracies(rows)
    summary, checks = summarize_robust(table), gradient_checks(rows, transfer)
    losses = mean_losses(rows)
    tables = {"accuracies": table, "summary": summary, "losses": losses, "gradient_checks": checks}
    written = {f"{name}.csv": frame for name, frame in tables.items()}
    for name, frame in written.items():
        write_summary(folder / name, frame)
    figures = draw_robust(folder, rows)
    print_robust(summary, len(shown[0]))
    print_losses(losses)
    print_checks(checks)
    paths = [folder / "results.parquet", *(folder / name for name in written), *figures]
    show = partial(log_robust, summary=summary, checks=checks, figures=figures)
    shared = {"recipe": plain(cfg.recipe), "network": identity_of(cfg.network)}
    known = known_defenses(cfg)
    defined = {name: definition(shared, identity_of(known[name])) for name in chosen}
    own = dict.fromkeys(defined, weights_of(cfg))
    finish(cfg, "adv-evaluate", MadeOf(weights_of(cfg), paths, defined, own, of), show)
    return rows


def _table_of(cfg: DictConfig, data: ImageData) -> dict[str, Any]:
    """What all rows of a table have in common: problem, attackers and how they are run."""
    known, named = known_defenses(cfg), [one.learned_by for one in cfg.attackers.values()]
    teachers = {name: identity_of(known[name]) for name in named if name is not None}
    shared = ("recipe", "threat", "robustness", "seeds", "surrogates", "surrogate_seed")
    whole = plain(cfg)
    return {
        "command": "adv-evaluate",
        "data": {**plain(cfg.data), "identity": data.identity},
        "network": identity_of(cfg.network),
        "attackers": {name: identity_of(one) for name, one in cfg.attackers.items()},
        "teachers": teachers,
        **{name: whole[name] for name in shared},
    }


def weights_of(cfg: DictConfig) -> list[Path]:
    """The files of all classifiers under test, learned attackers and surrogates."""
    teachers = [one.learned_by for one in cfg.attackers.values() if one.learned_by is not None]
    players = [(str(name), "classifier") for name in chosen_defenses(cfg)]
    players += [(str(name), "maximizer") for name in dict.fromkeys(teachers)]
    seeds = list(map(int, cfg.seeds))
    own = [player_path(cfg, name, seed, what) for name, what in players for seed in seeds]
    others = [player_path(cfg, str(n), cfg.surrogate_seed, "classifier") for n in cfg.surrogates]
    return own + others


def robust_tests(
    cfg: DictConfig, data: ImageData, protocol: RobustnessProtocol
) -> Iterator[RobustTest]:
    """Each defense and seed under each attacker, and under one of them at several radii."""
    surrogates = {
        name: trained_classifier(cfg, str(name), defense, cfg.surrogate_seed, data)
        for name, defense in cfg.surrogates.items()
    }
    for method, defense in chosen_defenses(cfg).items():
        for seed in map(int, cfg.seeds):
            classifier = trained_classifier(cfg, method, defense, seed, data)
            known = {"classifier": module_identity(classifier), "network": identity_of(cfg.network)}
            for name, attacker in cfg.attackers.items():
                built = build_attacker(cfg, attacker, seed, data, surrogates)
                wanted = [(1.0, protocol.images)]
                if name == SWEPT:
                    few = min(protocol.radius_images, protocol.images)
                    wanted += [(factor, few) for factor in other_radii(build_threat(cfg))]
                depends_on = {**known, **_settings(cfg, attacker, data, built)}
                for radius, images in wanted:
                    print_of = fingerprint({**depends_on, "images": images})
                    yield RobustTest(
                        method, seed, classifier, str(name), built, print_of, images, radius
                    )


def _settings(
    cfg: DictConfig, attacker: DictConfig, data: ImageData, built: Attacker
) -> dict[str, Any]:
    """What a test depends on beside the classifier."""
    learned_by = known_defenses(cfg).get(attacker.learned_by)
    return {
        "attacker": identity_of(attacker),
        "of": identity_of(learned_by.maximizer) if learned_by else None,
        "threat": plain(cfg.threat),
        "seed": cfg.robustness.seed,
        "data": [plain(cfg.data), data.identity],
        "maximizer": module_identity(built.maximizer),
        "source": module_identity(built.source) if built.source else None,
    }

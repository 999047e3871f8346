"""`zol2l attack`: many attacks on the same images; results, summary table and figures."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from zol2l.attacks.family import ConstrainedFamily
from zol2l.build import build, plain
from zol2l.commands.objects import optimizee_settings
from zol2l.commands.tune_attacks import (
    build_attack,
    chosen_attacks,
    constrained_family,
    tuned_attack_settings,
)
from zol2l.errors import InvalidInput
from zol2l.evaluation.attack_results import summarize_attacks
from zol2l.evaluation.attacking import AttackProtocol, NamedAttack, attack_all
from zol2l.evaluation.summary import write_summary
from zol2l.plots.attacks import draw_attacks
from zol2l.progress import progress_bars
from zol2l.report import print_attacks
from zol2l.stage import fingerprint
from zol2l.tracking import log_attacks, wandb_run

log = logging.getLogger(__name__)


def main(cfg: DictConfig) -> pd.DataFrame:
    """Run the chosen attacks into the run folder and return a row per attack and image."""
    folder = Path(cfg.paths.run_dir)
    chosen = chosen_attacks(cfg)
    if not chosen:
        raise InvalidInput("attack", None, "name one; `zol2l list` shows them")
    protocol: AttackProtocol = build(cfg.attacking)
    family = constrained_family(cfg)
    attacks = {name: _named(cfg, family, protocol, attack) for name, attack in chosen.items()}
    with progress_bars() as show:
        rows = attack_all(attacks, family, protocol, folder, show)
    summary = summarize_attacks(rows)
    write_summary(folder / "summary.csv", summary)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    figures = draw_attacks(folder, rows)
    with wandb_run(plain(cfg.logger), folder, cfg.run_name, "attack", plain(cfg)) as run:
        if run is not None:
            log_attacks(run, rows, summary, figures)
    print_attacks(summary)
    for path in (folder / "results.parquet", folder / "summary.csv", *figures):
        log.info("Written: %s", path)
    return rows


def _named(
    cfg: DictConfig, family: ConstrainedFamily, protocol: AttackProtocol, attack: DictConfig
) -> NamedAttack:
    """The attack as tuned, and a fingerprint of all that its results depend on."""
    settings = tuned_attack_settings(cfg, family, attack)
    depends_on = {
        **optimizee_settings(cfg),
        "victim_weights": family.identity,
        "attack": plain(attack),
        "tuned": settings,
        "attacking": plain(cfg.attacking),
    }
    built = build_attack(cfg, attack, family, protocol, settings)
    return NamedAttack(built, fingerprint(depends_on))

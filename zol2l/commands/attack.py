"""`zol2l attack`: many attacks on the same images; results, summary table and figures."""

from __future__ import annotations

import shutil
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig
from torch import nn

from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.finish import finish
from zol2l.commands.folders import data_root, store
from zol2l.commands.objects import chosen_attacks, problem_settings
from zol2l.commands.search import tuned_path
from zol2l.commands.train_victim import ensure_trained
from zol2l.commands.tune_attacks import (
    build_attack,
    constrained_family,
    tuned_attack_settings,
)
from zol2l.data.datasets import ImageData
from zol2l.errors import InvalidInput
from zol2l.evaluation.attack_results import summarize_attacks
from zol2l.evaluation.attacking import AttackProtocol, NamedAttack, attack_all, transferred
from zol2l.evaluation.summary import write_summary
from zol2l.optimizees.constrained_family import ConstrainedFamily
from zol2l.plots.attacks import draw_attacks
from zol2l.reporting.tables import print_attacks, print_shares
from zol2l.reporting.tracking import log_attacks
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.made_of import MadeOf, definition, going_on
from zol2l.terminal.progress import progress_bars


def main(cfg: DictConfig) -> pd.DataFrame:
    """Run the chosen attacks into the run folder and return a row per attack and image."""
    folder, parts = Path(cfg.paths.run_dir), store(cfg) / "parts"
    chosen = chosen_attacks(cfg)
    if not chosen:
        raise InvalidInput("attack", None, "name one; `zol2l list` shows them")
    protocol: AttackProtocol = build(cfg.attacking)
    family = constrained_family(cfg)
    attacks = {name: _named(cfg, family, protocol, attack) for name, attack in chosen.items()}
    of = {"command": "attack", **problem_settings(cfg, family), "attacking": plain(cfg.attacking)}
    kept = going_on(folder, of, attacks)
    with progress_bars() as show:
        rows = attack_all(attacks, family, protocol, folder, parts, show, kept)
    summary = summarize_attacks(rows)
    write_summary(folder / "summary.csv", summary)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    figures = draw_attacks(folder, rows)
    print_attacks(summary)
    tables = [folder / "summary.csv"]
    if cfg.shown_to:
        shares = {name: transferred(parts, attacks, net) for name, net in _others(cfg).items()}
        table = pd.DataFrame(shares).rename_axis("attack").reset_index()
        tables.append(folder / "transferability.csv")
        if kept and tables[-1].is_file():
            before = pd.read_csv(tables[-1])
            table = pd.concat([before[before["attack"].isin(kept)], table])
        write_summary(tables[-1], table)
        print_shares(table)
    show = partial(log_attacks, rows=rows, summary=summary, figures=figures)
    written = [folder / "results.parquet", *tables, *figures]
    own = {name: [tuned_path(cfg, name)] for name in chosen}
    uses = [*family.files, *chain(*own.values())]
    defined = {name: named.definition for name, named in attacks.items()}
    finish(cfg, "attack", MadeOf(uses, written, defined, own, of), show)
    return rows


def _others(cfg: DictConfig) -> dict[str, nn.Module]:
    """The networks of `shown_to`, trained as victims are."""
    networks = {}
    for name, victim in cfg.shown_to.items():
        data: ImageData = build(victim.data, root=data_root(cfg))
        make = partial(build, victim.network)
        networks[str(name)], _ = ensure_trained(cfg, identity_of(victim), make, data)
    return networks


def _named(
    cfg: DictConfig, family: ConstrainedFamily, protocol: AttackProtocol, attack: DictConfig
) -> NamedAttack:
    """The attack as tuned, and a fingerprint of all that its results depend on."""
    settings = tuned_attack_settings(cfg, family, attack)
    depends_on = {
        **problem_settings(cfg, family),
        "attack": identity_of(attack),
        "tuned": settings,
        "attacking": plain(cfg.attacking),
    }
    built = build_attack(cfg, attack, family, protocol, settings)
    defined = definition({"attack": depends_on["attack"], "tuned": settings})
    return NamedAttack(built, fingerprint(depends_on), defined)

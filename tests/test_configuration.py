"""The configuration as a whole: every optimizee composes, and data are as named."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from zol2l.commands.build import CONF, plain
from zol2l.commands.options import entries

ATTACKS = [n for n in sorted(entries(CONF, "optimizee")) if n.endswith(("_attack", "_linf"))]
OPTIMIZEES = sorted(entries(CONF, "optimizee"))
SCALES = sorted(p.stem for p in (CONF / "scale").glob("*.yaml"))

Compose = Callable[..., DictConfig]


@pytest.fixture
def composed() -> Iterator[Compose]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: compose("config", list(overrides))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", OPTIMIZEES)
def test_every_optimizee_composes_at_every_scale(composed: Compose, name: str, scale: str) -> None:
    given = ["optimizee.family.function=function"] if name == "function" else []
    cfg = composed(f"optimizee={name}", f"scale={scale}", *given)
    assert plain(cfg.optimizee)["name"] == name


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_names_its_data_and_the_command_line_wins(composed: Compose, name: str) -> None:
    assert plain(composed(f"optimizee={name}").optimizee)["victim"]["data"]["_target_"]
    orders = ([f"optimizee={name}", "data=digits"], ["data=digits", f"optimizee={name}"])
    for overrides in orders:
        data = composed(*overrides).optimizee.victim.data
        assert data == {"_target_": "zol2l.data.datasets.digits"}


def test_an_experiments_optimizee_brings_its_data(composed: Compose) -> None:
    assert composed("experiment=fig2_mnist").data._target_ == "zol2l.data.datasets.mnist"
    chosen = composed("experiment=fig2_mnist", "data=digits").data._target_
    assert chosen == "zol2l.data.datasets.digits"

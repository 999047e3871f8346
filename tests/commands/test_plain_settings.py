"""Names, seeds and numbers, wherever they stand in the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from zol2l.commands.build import CONF
from zol2l.commands.plain_settings import check_plain
from zol2l.errors import InvalidInput
from zol2l.storage.lock import first_node
from zol2l.storage.names import require_folder, require_name

Compose = Callable[..., DictConfig]


@pytest.fixture
def composed() -> Iterator[Compose]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *given: compose("config", list(given))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("seed=-1", "seed=-1: a seed is a whole number from 0"),
        ("seed=99999999999999999999", "seed=9+: a number of at most 64 bits"),
        ("seed=1.5", "seed=1.5: a seed"),
        ("attacking.seed=-1", "attacking.seed=-1: a seed"),
        ("optimizee.family.seed=-1", "optimizee.family.seed=-1: a seed"),
        ("evaluation.steps=99999999999999999999", "evaluation.steps=9+: a number of at most 64"),
        ("optimizee.family=null", "optimizee.family=None: must be settings"),
        ("evaluation=5", "evaluation=5: must be settings"),
        ("meta_training.clamp=x", "meta_training.clamp=x: must be a finite number"),
        ("methods.zo_sgd.name=a/b", "methods.zo_sgd.name=a/b: a name of files, without '/'"),
        ("methods.zo_sgd.tuned=5", "methods.zo_sgd.tuned=5: must be"),
        ("logger.tags=x", "logger.tags=x: must be a list"),
    ],
)
def test_hostile_settings_are_named(composed: Compose, given: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_plain(composed(given))


@pytest.mark.parametrize("name", ["../../escape", "/absolute", "", " ", "..", "a/../b", "a//b"])
@pytest.mark.parametrize("key", ["run_name", "store_name"])
def test_results_stay_below_the_outputs(composed: Compose, key: str, name: str) -> None:
    with pytest.raises(OmegaConfBaseException, match=re.escape(f"{key}={name}: a ")):
        str(composed(f"{key}='{name}'").paths["run" if key == "run_name" else "store"])


@pytest.mark.parametrize("name", ["a", "a/b", "quadratic-0", "été", 5])
def test_folders_may_be_called_so(name: object) -> None:
    assert require_folder("run_name", name) == str(name)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a:b", "a\nb", "\udcff", "n" * 300, None, [], "."])
def test_files_cannot_be_called_so(name: object) -> None:
    with pytest.raises(InvalidInput, match=r"name="):
        require_name("name", name)


@pytest.mark.parametrize("rank", ["abc", "-1", "", "1.5"])
def test_a_node_has_a_number(monkeypatch: pytest.MonkeyPatch, rank: str) -> None:
    monkeypatch.setenv("NODE_RANK", rank)
    with pytest.raises(InvalidInput, match=f"NODE_RANK={rank}: the number of this node"):
        first_node()

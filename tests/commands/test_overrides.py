"""What a command line may set: groups that the command reads, keys that somebody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from zol2l.commands.build import CONF
from zol2l.commands.cli import COMMANDS, primary_config
from zol2l.commands.overrides import KNOWN, OF_METHODS, check_overrides, likely
from zol2l.errors import InvalidInput

Check = Callable[..., None]


@pytest.fixture
def checked() -> Iterator[Check]:
    GlobalHydra.instance().clear()

    def check(command: str, *given: str) -> None:
        cfg = compose(primary_config(command, given), list(given))
        check_overrides(command, cfg, given, [CONF])

    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield check


@pytest.mark.parametrize(
    ("command", "given", "told"),
    [
        ("evaluate", ["attack=square"], "attack=square: evaluate does not read attack, but abl"),
        ("evaluate", ["+attack@attacks.x=square"], "attack@attacks.x=square: evaluate does not"),
        ("attack", ["baseline=zo_sgd"], "baseline=zo_sgd: attack does not read baseline"),
        ("attack", ["~ablation@methods.zo_lstm"], "attack does not read methods"),
        ("meta-train", ["attack=square"], "meta-train does not read attack"),
        ("meta-train", ["analysis=cosine"], "meta-train does not read analysis"),
        ("tune", ["attack=square", "baseline=zo_sgd"], "tune does not read baseline"),
        ("adv-train", ["+attacker@attackers.x=pgd10"], "adv-train does not read attackers"),
        ("evaluate", ["+baselin=zo_sgd"], "baselin=zo_sgd: no such .* did you mean baseline=\\?"),
        ("evaluate", ["+foo=1"], "foo=1: no such group or setting"),
        ("evaluate", ["++foo.bar=1"], "foo=.*: no such group or setting"),
        ("evaluate", ["+optimizee.direction=1"], "did you mean optimizee.directions=\\?"),
        ("evaluate", ["+logger.wandbb=1"], "did you mean logger.wandb=\\?"),
        ("evaluate", ["+sizes.cpu.stepss=1"], "did you mean sizes.cpu.steps=\\?"),
    ],
)
def test_what_nobody_reads_is_refused(
    checked: Check, command: str, given: list[str], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        checked(command, *given)


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("evaluate", ["+baseline@methods.zo_scd=zo_scd", "~ablation@methods.zo_lstm"]),
        ("evaluate", ["baseline=zo_sgd", "+evaluation.chunk=3", "++evaluation.steps=4"]),
        ("evaluate", ["optimizer=composed", "+optimizer.learned.update=zo_lstm"]),
        ("evaluate", ["+mine=4", "evaluation.steps=${mine}"]),
        ("evaluate", ["+trainer.strategy=ddp_fork"]),
        ("tune", ["optimizee=digits_linf", "attack=nes_pgd", "data=digits"]),
        ("attack", ["+victim@shown_to.mnist=mnist", "+attack@attacks.x=square"]),
        ("reproduce", ["experiment=quickstart", "baseline=zo_sgd", "analysis=cosine"]),
        ("adv-evaluate", ["+defense@surrogates.x=plain", "+attacker@attackers.y=rnn40"]),
        ("adv-evaluate", ["~attackers.l2lda", "+network.network.channels=3"]),
    ],
)
def test_what_is_read_is_taken(checked: Check, command: str, given: list[str]) -> None:
    checked(command, *given)


def test_settings_of_other_commands_are_named(
    checked: Check, caplog: pytest.LogCaptureFixture
) -> None:
    checked("attack", "evaluation.budget=100")
    assert "attack does not read evaluation.budget=100" in caplog.text


@pytest.mark.parametrize("primary", ["config", "robust"])
def test_the_table_knows_the_whole_configuration(checked: Check, primary: str) -> None:
    cfg: DictConfig = compose(primary)
    assert set(map(str, cfg)) <= KNOWN
    assert set(OF_METHODS) == set(COMMANDS) - {"report", "list"}


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("baselin", "baseline"),
        ("evaluation.budgett", "evaluation.budget"),
        ("budget", "evaluation.budget"),
        ("sampling", "sampling@optimizer.sampling"),
        ("xyz", None),
    ],
)
def test_the_nearest_key(key: str, meant: str | None) -> None:
    known = ["baseline", "attack", "evaluation", "evaluation.budget", "sampling@optimizer.sampling"]
    assert likely(key, known) == ([meant] if meant else [])

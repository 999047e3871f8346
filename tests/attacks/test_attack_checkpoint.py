"""An attack that is killed and resumed gives what an uninterrupted one gives, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.attacks.test_attacks import attacks
from tests.attacks.test_distortion import carlini_wagner, zoo
from tests.attacks.victims import LinearVictim, labelled, pictures
from tests.contracts import same
from zol2l.attacks.attack import Attack
from zol2l.attacks.checkpoint import AttackCheckpoint
from zol2l.attacks.transfer import TransferAttack
from zol2l.optimizees.threat_model import LInfBall

THREAT = LInfBall(0.1)  # so small that attacks take a while
MAKE: dict[str, Callable[[], Attack]] = {
    **{name: (lambda name=name: attacks(THREAT, budget=90)[name]) for name in attacks(THREAT)},
    "zoo": lambda: zoo(searches=3, c=1e-3, patience=7),
    "zoo, growing": lambda: zoo(sides=[2, 3], grow_at=[4], searches=3, c=1e-3, tanh=True),
    "carlini_wagner": carlini_wagner,
    "transfer": lambda: TransferAttack(carlini_wagner(), LinearVictim(), THREAT),
}


class KilledError(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


class CountdownVictim(LinearVictim):
    """A victim in whose call number `last` the process dies."""

    def __init__(self, last: float = torch.inf) -> None:
        super().__init__()
        self.left = last

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.left < 0:
            raise KilledError
        return super().__call__(images)


def victims(attack: Attack, last: float = torch.inf) -> tuple[CountdownVictim, CountdownVictim]:
    """The victim, and the one that the attack learns from: its own surrogate, or the victim."""
    victim = CountdownVictim(last)
    if not isinstance(attack, TransferAttack):
        return victim, victim
    attack.surrogate = CountdownVictim(last)  # type: ignore[assignment]
    return victim, attack.surrogate  # type: ignore[return-value]


@pytest.mark.parametrize("name", MAKE)
def test_killed_and_resumed_twice_is_the_same(name: str, tmp_path: Path) -> None:
    images = pictures(6, torch.float32)
    labels = labelled(LinearVictim(), images)
    attack = MAKE[name]()
    victim, asked = victims(attack)
    whole = attack(victim, images, labels)
    calls = len(asked.seen)
    for share in (0.4, 0.3):
        attack = MAKE[name]()
        attack.checkpoint = AttackCheckpoint(tmp_path / "kept.safetensors", every_seconds=0)
        victim, _ = victims(attack, int(share * calls))
        with pytest.raises(KilledError):
            attack(victim, images, labels)
    attack = MAKE[name]()
    attack.checkpoint = AttackCheckpoint(tmp_path / "kept.safetensors", every_seconds=0)
    victim, asked = victims(attack)
    assert same(attack(victim, images, labels), whole)
    assert len(asked.seen) < 0.6 * calls, "it began anew"

"""The family of attacks within a threat model, on one victim."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zol2l.errors import require
from zol2l.optimizees import AttackFamily
from zol2l.optimizees.constrained_attack import ConstrainedAttack
from zol2l.optimizees.family import Split
from zol2l.optimizees.threat_model import ThreatModel
from zol2l.types import Optimizee


class ConstrainedFamily(AttackFamily):
    """AttackFamily's images and splits, with ConstrainedAttack's `threat` and `kappa`."""

    name = "constrained_attack"

    def __init__(
        self,
        victim: nn.Module,
        images: Tensor,
        labels: Tensor,
        threat: ThreatModel,
        kappa: float = 0.0,
        train: int = 100,
        validation: int = 20,
        test: int = 100,
        targeted: bool = False,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        super().__init__(victim, images, labels, train, validation, test, targeted, seed, dtype)
        check_kappa(kappa)
        self.threat, self.kappa = threat, kappa

    @classmethod
    def check_settings(cls, *, kappa: float = 0.0, **splits: Any) -> None:
        super().check_settings(**splits)
        check_kappa(kappa)

    def optimizee(self, split: Split, rows: Tensor) -> Optimizee:
        images, goal = self.drawn(split, rows)
        return ConstrainedAttack(self.victim, images, goal, self.threat, self.kappa)


def check_kappa(kappa: float) -> None:
    """Refuse a negative margin."""
    require(kappa >= 0, "kappa", kappa, "at least 0")

"""The family of attacks within a threat model, on one victim."""

from __future__ import annotations

from torch import Tensor

from zol2l.attacks.problem import ConstrainedAttack
from zol2l.attacks.threat_model import ThreatModel
from zol2l.optimizees import AttackFamily
from zol2l.optimizees.family import Split
from zol2l.types import Optimizee


class ConstrainedFamily(AttackFamily):
    """AttackFamily's images and splits; the `options` are ConstrainedAttack's, `threat` and
    `kappa`.
    """

    name = "constrained_attack"

    @property
    def threat(self) -> ThreatModel:
        """How far the adversarial images may be."""
        threat: ThreatModel = self.options["threat"]
        return threat

    def optimizee(self, split: Split, rows: Tensor) -> Optimizee:
        images, goal = self.examples(split, rows)
        return ConstrainedAttack(self.victim, images, goal, **self.options)

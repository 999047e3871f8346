"""What an attack says, against what the victim says."""

from __future__ import annotations

from torch import Tensor

from zol2l.attacks.attack import AttackResult, Victim, inspect
from zol2l.optimizees.goals import Goal
from zol2l.optimizees.threat_model import ThreatModel


def verify(
    result: AttackResult, victim: Victim, images: Tensor, goal: Goal, threat: ThreatModel
) -> dict[str, float]:
    """`inspect` in four numbers: `success_rate` by the victim's predictions, `overstated`, the
    images said to succeed that do not, and the farthest that any of them is outside.
    """
    seen = inspect(result.adversarial, victim, images, goal, threat)
    return {
        "success_rate": seen.broken.double().mean().item(),
        "overstated": int((result.success.to(seen.broken.device) & ~seen.broken).sum()),
        "outside_ball": seen.outside_ball.max().item(),
        "outside_box": seen.outside_box.max().item(),
    }

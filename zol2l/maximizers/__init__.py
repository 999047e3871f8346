"""Inner maximizers of adversarial training, and the objectives that they maximize."""

from zol2l.maximizers.base import Maximized, Maximizer
from zol2l.maximizers.draws import Draws
from zol2l.maximizers.inner_problem import InnerProblem
from zol2l.maximizers.learned import LearnedMaximizer
from zol2l.maximizers.objectives import CrossEntropy, Margin, Objective, Trades

__all__ = [
    "CrossEntropy",
    "Draws",
    "InnerProblem",
    "LearnedMaximizer",
    "Margin",
    "Maximized",
    "Maximizer",
    "Objective",
    "Trades",
]

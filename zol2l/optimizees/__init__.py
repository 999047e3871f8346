"""Problems to optimize from function values alone."""

from zol2l.optimizees.attack_family import AttackFamily
from zol2l.optimizees.binary_classification import BinaryClassification, sample_datasets
from zol2l.optimizees.black_box_attack import BlackBoxAttack
from zol2l.optimizees.family import OptimizeeFamily
from zol2l.optimizees.function import FunctionOptimizee, on_arrays
from zol2l.optimizees.function_family import FunctionFamily
from zol2l.optimizees.quadratic import Quadratic
from zol2l.optimizees.synthetic_families import BinaryClassificationFamily, QuadraticFamily

__all__ = [
    "AttackFamily",
    "BinaryClassification",
    "BinaryClassificationFamily",
    "BlackBoxAttack",
    "FunctionFamily",
    "FunctionOptimizee",
    "OptimizeeFamily",
    "Quadratic",
    "QuadraticFamily",
    "on_arrays",
    "sample_datasets",
]

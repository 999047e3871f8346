"""Estimators: what was seen along the query directions."""

from zol2l.estimators.base import Estimator
from zol2l.estimators.central_difference import CentralDifference
from zol2l.estimators.coordinatewise import CoordinatewiseGradient
from zol2l.estimators.directional_derivative import DirectionalDerivative
from zol2l.estimators.exact import ExactGradient
from zol2l.estimators.forward_difference import ForwardDifference
from zol2l.estimators.information import (
    AllClasses,
    LogOdds,
    MonteCarlo,
    OuterProduct,
    TwoOutcome,
)
from zol2l.estimators.variance_reduced import VarianceReduced

__all__ = [
    "AllClasses",
    "CentralDifference",
    "CoordinatewiseGradient",
    "DirectionalDerivative",
    "Estimator",
    "ExactGradient",
    "ForwardDifference",
    "LogOdds",
    "MonteCarlo",
    "OuterProduct",
    "TwoOutcome",
    "VarianceReduced",
]

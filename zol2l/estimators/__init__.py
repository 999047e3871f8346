"""Estimators: what was seen along the query directions."""

from zol2l.estimators.forward_difference import ForwardDifference

__all__ = ["ForwardDifference"]

"""Sampling rules: where to look."""

from zol2l.sampling.base import LastStep, Sampling
from zol2l.sampling.coordinates import RandomCoordinates
from zol2l.sampling.gaussian import GaussianSampling
from zol2l.sampling.guided_es import GuidedES
from zol2l.sampling.important_coordinates import ImportantCoordinates
from zol2l.sampling.query_rnn import QueryRNN
from zol2l.sampling.sphere import SphereSampling

__all__ = [
    "GaussianSampling",
    "GuidedES",
    "ImportantCoordinates",
    "LastStep",
    "QueryRNN",
    "RandomCoordinates",
    "Sampling",
    "SphereSampling",
]

"""The optimizers of ZO-L2L and its ablations, with rates that suit the tests' quadratics."""

from __future__ import annotations

from tests.contracts import Method
from zol2l.estimators import ForwardDifference
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, QueryRNN, Sampling
from zol2l.updates import SGD, Adam, SignSGD, Update, UpdateRNN


def composed(sampling: Sampling, update: Update) -> ComposedOptimizer:
    return ComposedOptimizer(sampling, ForwardDifference(), update)


METHODS = [
    Method("zo_sgd", lambda q: composed(GaussianSampling(q), SGD(1.0)), descends=True),
    Method("zo_signsgd", lambda q: composed(GaussianSampling(q), SignSGD(0.4)), descends=True),
    Method("zo_adam", lambda q: composed(GaussianSampling(q), Adam(0.8)), descends=True),
    Method("no_update", lambda q: composed(QueryRNN(q), SGD(1.0)), descends=True),
    Method("no_query", lambda q: composed(GaussianSampling(q), UpdateRNN()), descends=False),
    Method("zo_lstm", lambda q: composed(QueryRNN(q), UpdateRNN()), descends=False),
]

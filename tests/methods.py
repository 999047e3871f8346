"""The optimizers of ZO-L2L and what it compares with, at rates that suit the tests' quadratics."""

from __future__ import annotations

from tests.contracts import Method
from zol2l.estimators import CentralDifference, Estimator, ForwardDifference, VarianceReduced
from zol2l.optimizer import ComposedOptimizer
from zol2l.sampling import GaussianSampling, GuidedES, QueryRNN, RandomCoordinates, Sampling
from zol2l.updates import SGD, Adam, SignSGD, Update, UpdateRNN

EPOCH, SNAPSHOT = 3, 6


def composed(
    sampling: Sampling, update: Update, estimator: Estimator | None = None
) -> ComposedOptimizer:
    return ComposedOptimizer(sampling, estimator or ForwardDifference(), update)


def variance_reduced_calls(q: int, step: int) -> tuple[int, ...]:
    """The snapshot and the iterate with q' directions, then both points with the same q."""
    inner = (q + 1, q + 1)
    return (SNAPSHOT + 1, *inner) if step % EPOCH == 0 else inner


def central_calls(q: int, step: int) -> tuple[int, ...]:
    return (2 * q + 1,)


METHODS = [
    Method("zo_sgd", lambda q: composed(GaussianSampling(q), SGD(1.0)), descends=True),
    Method("zo_signsgd", lambda q: composed(GaussianSampling(q), SignSGD(0.4)), descends=True),
    Method("zo_adam", lambda q: composed(GaussianSampling(q), Adam(0.8)), descends=True),
    Method(
        "zo_szvr_g",
        lambda q: composed(GaussianSampling(q), SGD(1.0), VarianceReduced(EPOCH, SNAPSHOT)),
        descends=True,
        calls=variance_reduced_calls,
    ),
    Method(
        "zo_scd",
        lambda q: composed(RandomCoordinates(q), SGD(1.0), CentralDifference()),
        descends=True,
        calls=central_calls,
        distinct=True,
    ),
    Method(
        "central_adam",
        lambda q: composed(GaussianSampling(q), Adam(0.8), CentralDifference()),
        descends=True,
        calls=central_calls,
    ),
    Method("guided_es_sgd", lambda q: composed(GuidedES(q), SGD(1.0)), descends=True),
    Method("guided_es", lambda q: composed(GuidedES(q), UpdateRNN()), descends=False),
    Method(
        "variance_reduced_rnn",
        lambda q: composed(QueryRNN(q), UpdateRNN(), VarianceReduced(EPOCH, SNAPSHOT)),
        descends=False,
        calls=variance_reduced_calls,
    ),
    Method("no_update", lambda q: composed(QueryRNN(q), SGD(1.0)), descends=True),
    Method("no_query", lambda q: composed(GaussianSampling(q), UpdateRNN()), descends=False),
    Method("zo_lstm", lambda q: composed(QueryRNN(q), UpdateRNN()), descends=False),
]

NAMED = {method.name: method for method in METHODS}

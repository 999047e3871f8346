"""Update rules: how to move."""

from zol2l.updates.adam import Adam
from zol2l.updates.base import Update
from zol2l.updates.coordinate_adam import CoordinateAdam
from zol2l.updates.momentum_sign import MomentumSign
from zol2l.updates.natural_gradient import NaturalGradient
from zol2l.updates.sgd import SGD
from zol2l.updates.sign_sgd import SignSGD
from zol2l.updates.update_rnn import UpdateRNN

__all__ = [
    "SGD",
    "Adam",
    "CoordinateAdam",
    "MomentumSign",
    "NaturalGradient",
    "SignSGD",
    "Update",
    "UpdateRNN",
]

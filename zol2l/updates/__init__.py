"""Update rules: how to move."""

from zol2l.updates.adam import Adam
from zol2l.updates.base import Update
from zol2l.updates.sgd import SGD
from zol2l.updates.sign_sgd import SignSGD
from zol2l.updates.update_rnn import UpdateRNN

__all__ = ["SGD", "Adam", "SignSGD", "Update", "UpdateRNN"]

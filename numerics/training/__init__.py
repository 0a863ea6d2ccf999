"""Training by gradient descent and SGD on the squared loss, one network or many, until a stated rule says stop."""

from numerics.training.compiled import Backend, train, train_many
from numerics.training.draws import batches
from numerics.training.jobs import Precision
from numerics.training.members import Member, Outcome, Run, checked_device

__all__ = [
    # training one network, or many
    "train",
    "train_many",
    "Member",
    # what comes of it
    "Run",
    "Outcome",
    # batches, and where and how it is computed
    "batches",
    "Backend",
    "Precision",
    "checked_device",
]

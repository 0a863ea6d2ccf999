"""Training by gradient descent and SGD on the squared loss, one network or many, until a stated rule says stop."""

from numerics.training.compiled import Backend, train, train_many
from numerics.training.draws import batches
from numerics.training.jobs import Precision
from numerics.training.members import Member, Outcome, Run, checked_device

__all__ = [
    "Backend",
    "Member",
    "Outcome",
    "Precision",
    "Run",
    "batches",
    "checked_device",
    "train",
    "train_many",
]

"""Training a fleet: many independent two-layer ReLU networks, each on its own data until its own rule says stop.

Every way agrees with a plain PyTorch loop up to rounding; they differ in what they are fast at:

- "compiled": the loops of `numerics.training`, for networks on one input.
- "gram": on few points the weights never leave the span of the data, w1 = w1(0) + X^T Lambda; a step then costs a
  product with rows of the n x n Gram matrix instead of two with the inputs.
- "explicit": hand-written gradients and updates in place, one network at a time, so that its weights stay in the cache.
- "stacked": the same for many networks at once, by batched products; for GPUs.
- "loop": automatic differentiation and `torch.optim.SGD`, what the others are held against.
"""

from numerics.fleet.jobs import Watched, Way
from numerics.fleet.ways import train_fleet
from numerics.training.members import Member, Run

__all__ = [
    "train_fleet",
    "Member",
    "Run",
    # how a member is trained, and what the stop rule looks at
    "Way",
    "Watched",
]

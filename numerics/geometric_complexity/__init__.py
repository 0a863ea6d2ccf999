"""Geometric complexity (dherin2022): the mean of ||J_f(x)||_F^2 of any torch module, and what bounds it.

Norms of layers are true operator norms, with bounds that hold in floats; the reshaped kernel's norm is a convention of its
own. Penalties for a trainer's loss are in `numerics.geometric_complexity.penalties`.
"""

from numerics.geometric_complexity.implicit import ImplicitRegulariser, implicit_regulariser
from numerics.geometric_complexity.line import arc_length, dirichlet_energy, theoretical_geometric_complexity
from numerics.geometric_complexity.lipschitz import Lipschitz, lipschitz_bound
from numerics.geometric_complexity.measure import GeometricComplexity, geometric_complexity
from numerics.geometric_complexity.minimum import ComplexityAtMinimum, complexity_at_minimum
from numerics.geometric_complexity.norms import OperatorNorm, operator_norm, reshaped_kernel_norm
from numerics.geometric_complexity.transfer import TransferBound, transfer_bound

__all__ = [
    "geometric_complexity",
    "GeometricComplexity",
    # norms of layers, and of what is made of them
    "operator_norm",
    "reshaped_kernel_norm",
    "OperatorNorm",
    "lipschitz_bound",
    "Lipschitz",
    # gradients in the weights and in the input
    "transfer_bound",
    "TransferBound",
    "implicit_regulariser",
    "ImplicitRegulariser",
    # what a step size allows at a minimum
    "complexity_at_minimum",
    "ComplexityAtMinimum",
    # functions on the line
    "dirichlet_energy",
    "arc_length",
    "theoretical_geometric_complexity",
]

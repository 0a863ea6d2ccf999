"""How far the gradients of examples agree (walker2023): stiffness, coherence and the tangent kernel of any module."""

from numerics.alignment.batches import (
    BatchCoherence,
    coherence_from_batches,
    coherence_of_batches,
    random_batches,
)
from numerics.alignment.coherence import Coherence, coherence
from numerics.alignment.gram import gradient_gram
from numerics.alignment.rademacher import RademacherComplexity, rademacher_complexity
from numerics.alignment.stiffness import (
    ClassStiffness,
    MeanStiffness,
    StiffnessByDistance,
    class_stiffness,
    cosine_stiffness,
    sign_stiffness,
    stiffness_by_distance,
)
from numerics.alignment.tangent import Eigenmodes, FunctionUpdate, eigenmodes, function_update, tangent_kernel
from numerics.alignment.trace import TangentTrace

__all__ = [
    # inner products of the gradients of examples, which are not stored
    "gradient_gram",
    # does a step for one help others?
    "sign_stiffness",
    "cosine_stiffness",
    "MeanStiffness",
    "class_stiffness",
    "ClassStiffness",
    "stiffness_by_distance",
    "StiffnessByDistance",
    # how far do they agree?
    "coherence",
    "Coherence",
    "coherence_from_batches",
    "coherence_of_batches",
    "BatchCoherence",
    "random_batches",
    # what does a step change?
    "tangent_kernel",
    "eigenmodes",
    "Eigenmodes",
    "function_update",
    "FunctionUpdate",
    "TangentTrace",
    # how much could linear models of these features fit?
    "rademacher_complexity",
    "RademacherComplexity",
]

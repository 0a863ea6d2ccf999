"""Convex programs, one a file; each result carries a dual certificate that is checked without the solver.

A program has the name of its file: `numerics.programs.flattest_implementation` is the function, and what else is in the
file is imported from it as ever.
"""

from numerics.programs.certificates import SharpnessCertificate, certify, check_certificate
from numerics.programs.flattest_implementation import FlattestImplementation, flattest_implementation
from numerics.programs.flattest_interpolant import FlattestInterpolant, flattest_interpolant
from numerics.programs.least_arc_length import LeastArcLength, check_length_certificate, least_arc_length
from numerics.programs.least_dirichlet_energy import (
    LeastDirichletEnergy,
    check_energy_certificate,
    least_dirichlet_energy,
)
from numerics.programs.least_path_length import LeastPathLength, least_path_length
from numerics.programs.minimum_curvature import (
    CurvatureCertificate,
    CurvatureProblem,
    MinimumCurvature,
    check_curvature_certificate,
    minimum_curvature,
)
from numerics.programs.minimum_variation import (
    MinimumVariation,
    VariationCertificate,
    check_variation_certificate,
    minimum_variation,
)
from numerics.programs.path_length_bounds import check_path_certificate
from numerics.programs.sharpest_weight import SharpestWeight, largest_curvature, sharpest_weight
from numerics.programs.training_error import DifferenceCertificate, ErrorProblem
from numerics.programs.worst_knots import (
    InterpolantCertificate,
    WeightCertificate,
    check_interpolant_certificate,
    check_weight_certificate,
    weight_ratio,
)

__all__ = [
    # the flattest network that computes a function
    "flattest_implementation",
    "FlattestImplementation",
    # ... or that goes through data
    "flattest_interpolant",
    "FlattestInterpolant",
    # how much curvature a stable network can have
    "largest_curvature",
    "sharpest_weight",
    "SharpestWeight",
    "weight_ratio",
    # functions of little curvature or variation
    "minimum_curvature",
    "MinimumCurvature",
    "CurvatureProblem",
    "minimum_variation",
    "MinimumVariation",
    # networks of little path length or weight, in any dimension
    "least_path_length",
    "LeastPathLength",
    # functions of little energy or length at a training error
    "least_dirichlet_energy",
    "LeastDirichletEnergy",
    "least_arc_length",
    "LeastArcLength",
    "ErrorProblem",
    # what proves a result, checked without the solver
    "certify",
    "check_certificate",
    "check_interpolant_certificate",
    "check_weight_certificate",
    "check_curvature_certificate",
    "check_variation_certificate",
    "check_energy_certificate",
    "check_length_certificate",
    "check_path_certificate",
    "SharpnessCertificate",
    "InterpolantCertificate",
    "WeightCertificate",
    "CurvatureCertificate",
    "VariationCertificate",
    "DifferenceCertificate",
]

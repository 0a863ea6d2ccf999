"""What users import: the claims and the bounds, by a name that no folder of theirs has.

`implicit_smoothness.theory`, `.numerics`, `.experiments` and `.proofs_check` are the four folders of this library; in a clone,
and where a user has none of the same name, `theory` and the others are the same modules.
"""

import tomllib
from importlib.metadata import version
from pathlib import Path

import implicit_smoothness_names
from theory.beyond import (
    batch_bound,
    batch_share_bound,
    critical_step_size,
    curvature_bound_with_loss,
    direction_bound,
    dual_sharpness_bound,
    epoch_growth,
    expansion_bound,
    flattest_range,
    frobenius_limit,
    loss_term,
    lowest_weight,
    norm_bound,
    orthonormal_reshuffling_threshold,
    sample_flattest,
    sharp_loss_term,
    smallest_curvature,
    stability_threshold,
    trace_bound,
    trace_limit,
    varies_least,
)
from theory.claim import Assumption, AssumptionError, Claim, Finding, Form, Instance, Ruling, Status, Verdict
from theory.enclosure import Enclosure
from theory.mulayoff2021 import (
    curvature_bound,
    curvature_enclosure,
    curvature_excess,
    curvature_excess_as_printed,
    deduced_sharpness_bound,
    eigenvector_residual_bound,
    feature_change_bound,
    population_weight,
    sharpness_bound,
    sharpness_bound_as_printed,
    sharpness_lower_bound,
    stability_weight,
    weighted_curvature,
)
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.two_layer import Weights
from theory.volhejn2020 import (
    PairCounts,
    function_path_length,
    gradient_path_length,
    initialization_limit,
    kendall_tau_b,
    label_path_length,
    network_path_length,
    pair_counts,
    path_length_bound,
    sampling_error_bound,
    spline_path_length,
    tau_b_ceiling,
    weights_product,
)
from theory.walker2023 import (
    batch_coherence,
    coherence,
    coherence_gap_bound,
    empirical_rademacher_margin,
    example_coherence,
    median_of_means,
    orthogonal_limit,
    path_rademacher_bound,
    rademacher_bound,
    rademacher_margin,
    shared_weight,
    stiffness,
    tangent_complexity,
    winsorised_mean,
)

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

__version__: str = (
    version("implicit-smoothness")
    if implicit_smoothness_names.INSTALLED
    else tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]  # a clone need not be installed
)

__all__ = [
    "Assumption",
    "AssumptionError",
    "CLAIMS",
    "Claim",
    "Enclosure",
    "Finding",
    "Form",
    "Instance",
    "PairCounts",
    "PiecewiseLinear",
    "Ruling",
    "Status",
    "Verdict",
    "Weights",
    "__version__",
    "batch_bound",
    "batch_coherence",
    "batch_share_bound",
    "coherence",
    "coherence_gap_bound",
    "critical_step_size",
    "curvature_bound",
    "curvature_bound_with_loss",
    "curvature_enclosure",
    "curvature_excess",
    "curvature_excess_as_printed",
    "deduced_sharpness_bound",
    "direction_bound",
    "dual_sharpness_bound",
    "eigenvector_residual_bound",
    "empirical_rademacher_margin",
    "epoch_growth",
    "example_coherence",
    "expansion_bound",
    "feature_change_bound",
    "flattest_range",
    "frobenius_limit",
    "function_path_length",
    "gradient_path_length",
    "initialization_limit",
    "kendall_tau_b",
    "label_path_length",
    "loss_term",
    "lowest_weight",
    "median_of_means",
    "network_path_length",
    "norm_bound",
    "orthogonal_limit",
    "orthonormal_reshuffling_threshold",
    "pair_counts",
    "path_length_bound",
    "path_rademacher_bound",
    "population_weight",
    "rademacher_bound",
    "rademacher_margin",
    "sample_flattest",
    "sampling_error_bound",
    "shared_weight",
    "sharp_loss_term",
    "sharpness_bound",
    "sharpness_bound_as_printed",
    "sharpness_lower_bound",
    "smallest_curvature",
    "spline_path_length",
    "stability_threshold",
    "stability_weight",
    "stiffness",
    "tangent_complexity",
    "tau_b_ceiling",
    "trace_bound",
    "trace_limit",
    "varies_least",
    "weighted_curvature",
    "weights_product",
    "winsorised_mean",
]

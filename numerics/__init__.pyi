# What `numerics` has, and where it is: read by type checkers, and by `numerics` itself when a name is asked for.

from .alignment import (
    class_stiffness as class_stiffness,
    coherence as coherence,
    gradient_gram as gradient_gram,
    tangent_kernel as tangent_kernel,
)
from .capacity import (
    capacity_measures as capacity_measures,
    fold_batch_norm as fold_batch_norm,
    frobenius_product as frobenius_product,
    group_norm as group_norm,
    least_product as least_product,
    lipschitz_bounds as lipschitz_bounds,
    margin as margin,
    path_norm as path_norm,
    rescaled as rescaled,
    spectral_product as spectral_product,
)
from .fleet import (
    train_fleet as train_fleet,
)
from .geometric_complexity import (
    arc_length as arc_length,
    dirichlet_energy as dirichlet_energy,
    lipschitz_bound as lipschitz_bound,
    operator_norm as operator_norm,
    transfer_bound as transfer_bound,
)
from .networks import (
    TwoLayerReLU as TwoLayerReLU,
    glorot_network as glorot_network,
    initialise as initialise,
)
from .optimisers import (
    MedianOfMeansSGD as MedianOfMeansSGD,
    WinsorizedSGD as WinsorizedSGD,
)
from .pac_bayes import (
    kl_bound as kl_bound,
    mcallester_bound as mcallester_bound,
    network_bounds as network_bounds,
)
from .penalties import (
    Penalty as Penalty,
)
from .perturbation import (
    conditions as conditions,
    expected_sharpness as expected_sharpness,
    max_sharpness as max_sharpness,
    noise_effects as noise_effects,
)
from .smoothness import (
    derivative_variation as derivative_variation,
    function_path_length as function_path_length,
    gradient_norm as gradient_norm,
    gradient_path_length as gradient_path_length,
    sample_pairs as sample_pairs,
    total_variation as total_variation,
    weights_product as weights_product,
)
from .stability import (
    Report as Report,
    Threshold as Threshold,
    hessian_sharpness as hessian_sharpness,
    mean_square_threshold as mean_square_threshold,
    report as report,
    reshuffling_growth as reshuffling_growth,
    sharpness as sharpness,
    spectral_density as spectral_density,
    strong_stability_threshold as strong_stability_threshold,
    top_eigenvalues as top_eigenvalues,
    trace as trace,
)
from .training import (
    Member as Member,
    Outcome as Outcome,
    Run as Run,
    train as train,
    train_many as train_many,
)

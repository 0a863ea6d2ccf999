"""`python -m experiments`: the list of studies."""

import sys
from collections.abc import Sequence
from typing import Any

from experiments import (
    coherence,
    confusion_set,
    explicit_regularization,
    gc_at_initialisation,
    gc_double_descent,
    gc_explicit,
    gc_implicit,
    gc_through_training,
    interpolant_example,
    momentum_threshold,
    network_size,
    pac_bayes_mnist,
    real_vs_random_example,
    sgd_threshold,
    sharpness_conditions,
    smoothest_on_digits,
    stability_sweep,
    step_size_jump,
    stiffness,
    tangent_complexity,
    training_set_size_1d,
    training_set_size_mnist,
    true_vs_random_labels,
    weight_function,
    winsorized,
)
from experiments.engine.study import Study

STUDIES: tuple[Study[Any], ...] = (
    stability_sweep.STUDY,
    step_size_jump.STUDY,
    sgd_threshold.STUDY,
    momentum_threshold.STUDY,
    weight_function.STUDY,
    training_set_size_1d.STUDY,
    training_set_size_mnist.STUDY,
    explicit_regularization.STUDY,
    smoothest_on_digits.STUDY,
    interpolant_example.STUDY,
    gc_through_training.STUDY,
    gc_at_initialisation.STUDY,
    gc_explicit.STUDY,
    gc_implicit.STUDY,
    gc_double_descent.STUDY,
    sharpness_conditions.STUDY,
    true_vs_random_labels.STUDY,
    confusion_set.STUDY,
    network_size.STUDY,
    pac_bayes_mnist.STUDY,
    stiffness.STUDY,
    coherence.STUDY,
    winsorized.STUDY,
    tangent_complexity.STUDY,
    real_vs_random_example.STUDY,
)


def listing(study: str = "python -m experiments.NAME", report: str = "python -m experiments.verify_model") -> str:
    """Return the studies, each with what it does, the claims it bears on, its presets, and what its paper reports.

    Args:
        study: the command that runs one.
        report: the command that looks at a network of one's own.
    """
    parts = []
    for one in STUDIES:
        lines = [f"{one.id}: {one.title}"]
        lines += [f"  claims {', '.join(one.claims) or 'none'}; presets {', '.join(one.presets)}"]
        lines += [f"  {known.claim or 'observed'} ({known.locator}): {known.reported}" for known in one.printed]
        parts.append("\n".join(lines))
    return (
        "\n\n".join(parts)
        + f"\n\nRun one with {study}; --help explains its options."
        + f"\nWhether a minimum of yours is stable: {report} --help."
    )


def main(argv: Sequence[str] | None = None, *, prog: str = "") -> int:
    """Print the studies; return the exit status.

    Args:
        argv: the words after the program, of which there should be none; those of this process if not given.
        prog: what prints the list, if it is not `python -m experiments`; the list then says how that runs a study.
    """
    words = sys.argv[1:] if argv is None else argv
    if words:
        print(f"error: the list of studies takes no options, got {' '.join(words)}", file=sys.stderr)
        return 2
    print(listing("implicit-smoothness NAME", "implicit-smoothness report") if prog else listing())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m experiments`: the list of studies."""

import sys
from typing import Any

from experiments import (
    explicit_regularization,
    interpolant_example,
    sgd_threshold,
    stability_sweep,
    step_size_jump,
    training_set_size_1d,
    training_set_size_mnist,
    weight_function,
)
from experiments.engine.study import Study

STUDIES: tuple[Study[Any], ...] = (
    stability_sweep.STUDY,
    step_size_jump.STUDY,
    sgd_threshold.STUDY,
    weight_function.STUDY,
    training_set_size_1d.STUDY,
    training_set_size_mnist.STUDY,
    explicit_regularization.STUDY,
    interpolant_example.STUDY,
)


def listing() -> str:
    """Return the studies, each with what it does, the claims it bears on, its presets, and what its paper reports."""
    parts = []
    for study in STUDIES:
        lines = [f"{study.id}: {study.title}"]
        lines += [f"  claims {', '.join(study.claims)}; presets {', '.join(study.presets)}"]
        lines += [f"  {known.claim} ({known.locator}): {known.reported}" for known in study.printed]
        parts.append("\n".join(lines))
    return (
        "\n\n".join(parts)
        + "\n\nRun one with python -m experiments.NAME; --help explains its options."
        + "\nWhether a minimum of yours is stable: python -m experiments.verify_model --help."
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(f"error: the studies are run as python -m experiments.NAME, got {' '.join(sys.argv[1:])}")
    print(listing())

"""`implicit-smoothness`, or `python -m implicit_smoothness`: every program of this library, by name, from any folder."""

import difflib
import pkgutil
import sys
from collections.abc import Callable, Sequence

from theory.extras import MissingExtraError

STUDIES = {
    "sweep": "experiments.stability_sweep",
    "stability_sweep": "experiments.stability_sweep",
    "step_size_jump": "experiments.step_size_jump",
    "sgd_threshold": "experiments.sgd_threshold",
    "momentum_threshold": "experiments.momentum_threshold",
    "weight_function": "experiments.weight_function",
    "training_set_size_1d": "experiments.training_set_size_1d",
    "training_set_size_mnist": "experiments.training_set_size_mnist",
    "explicit_regularization": "experiments.explicit_regularization",
    "smoothest_on_digits": "experiments.smoothest_on_digits",
    "interpolant_example": "experiments.interpolant_example",
    "gc_through_training": "experiments.gc_through_training",
    "gc_at_initialisation": "experiments.gc_at_initialisation",
    "gc_explicit": "experiments.gc_explicit",
    "gc_implicit": "experiments.gc_implicit",
    "gc_double_descent": "experiments.gc_double_descent",
    "sharpness_conditions": "experiments.sharpness_conditions",
    "true_vs_random_labels": "experiments.true_vs_random_labels",
    "confusion_set": "experiments.confusion_set",
    "network_size": "experiments.network_size",
    "pac_bayes_mnist": "experiments.pac_bayes_mnist",
    "stiffness": "experiments.stiffness",
    "coherence": "experiments.coherence",
    "winsorized": "experiments.winsorized",
    "tangent_complexity": "experiments.tangent_complexity",
    "real_vs_random_example": "experiments.real_vs_random_example",
}
"""A study's name to its module; what they need is imported when one is run."""

PROGRAMS = {
    "report": "experiments.verify_model",
    "ledger": "proofs_check.__main__",
    "prove": "proofs_check.machine_checked",
    "studies": "experiments.__main__",
}
"""The other programs, each the `main` of a module."""

USAGE = f"""\
usage: implicit-smoothness NAME [options]; implicit-smoothness NAME --help explains the options

  sweep      the main study: networks trained with many step sizes, held against the theory (stability_sweep)
  report     is my minimum stable? a saved model and a CSV file
  ledger     what the evidence on every claim comes to
  prove      have Coq check its theorems
  studies    what each study does, and what its paper reports

or the name of a study: {", ".join(name for name in STUDIES if name != "sweep")}"""


def program(name: str) -> Callable[[Sequence[str]], int]:
    """Return what runs under a name: a function of the words after it.

    Raises:
        MissingExtraError: if what it needs is not installed.
    """
    if name in PROGRAMS:
        main = pkgutil.resolve_name(f"implicit_smoothness.{PROGRAMS[name]}:main")
        return lambda words: int(main(words, prog=f"implicit-smoothness {name}"))
    study = pkgutil.resolve_name(f"implicit_smoothness.{STUDIES[name]}:STUDY")
    run = pkgutil.resolve_name("implicit_smoothness.experiments.engine.study:main")
    return lambda words: int(run(study, words, prog=f"implicit-smoothness {name}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program that the first word names; return its exit status.

    Args:
        argv: the words of the command line after `implicit-smoothness`; those of this process if not given.

    Returns:
        What the program returns, 2 if there is none of this name or it lacks what it needs, 130 if it was interrupted.
    """
    name, *words = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("--help", "-h"):
        print(USAGE)
        return 0
    names = [*PROGRAMS, *STUDIES]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0)[0]
        print(f"error: there is no program {name!r}; the nearest is {near}, --help lists all", file=sys.stderr)
        return 2
    try:
        return program(name)(words)
    except MissingExtraError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

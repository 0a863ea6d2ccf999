"""How the claims of `theory.beyond.observed` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from proofs_check.kept import Reading
from proofs_check.trial import Trial
from proofs_check.trials.operators import Kind, right, turned
from theory.beyond.observed import B3L, B7B, B7C, B11E, below, limit

KEPT_RUNS = "true of the runs that were kept, and only these are looked at"


TRIALS = (
    Trial(
        B7B,
        instances=Reading("stability_sweep", {symbol.name: symbol.name for symbol in B7B.symbols}),
        mutants=(
            turned(B7B),
            right(B7B, "1/(2 eta)", Kind.CONSTANT, lambda given: limit(given, 1 / (2 * Fraction(given["step_size"])))),
            right(
                B7B,
                "0.8 of 1/eta",
                Kind.CONSTANT,
                lambda given: limit(given, Fraction(4, 5) / Fraction(given["step_size"])),
            ),
        ),
        spared={f"without: {assumption.name}": KEPT_RUNS for assumption in B7B.assumptions},
    ),
    Trial(
        B7C,
        instances=Reading("stability_sweep", {symbol.name: symbol.name for symbol in B7C.symbols}),
        mutants=(
            turned(B7C),
            right(
                B7C,
                "lambda_max/4",
                Kind.CONSTANT,
                lambda given: limit(given, Fraction(given["hessian_sharpness"]) / 4),
            ),
        ),
        spared={f"without: {assumption.name}": KEPT_RUNS for assumption in B7C.assumptions},
    ),
    Trial(
        B3L,
        instances=Reading(
            "sgd_threshold",
            {symbol.name: symbol.name for symbol in B3L.symbols} | {"growth": "value", "growth_error": "error"},
        ),
        mutants=(
            right(B3L, "eta >= eta*", Kind.REVERSED, lambda given: not below(given)),
            right(B3L, "0.97 eta*", Kind.CONSTANT, lambda given: below(given, times=Fraction(97, 100))),
            right(B3L, "1.03 eta*", Kind.CONSTANT, lambda given: below(given, times=Fraction(103, 100))),
            right(B3L, "eta*/2", Kind.CONSTANT, lambda given: below(given, times=Fraction(1, 2))),
        ),
    ),
    Trial(
        B11E,
        instances=Reading(
            "momentum_threshold",
            {symbol.name: symbol.name for symbol in B11E.symbols} | {"growth": "value", "growth_error": "error"},
        ),
        mutants=(
            right(B11E, "eta >= eta*", Kind.REVERSED, lambda given: not below(given)),
            right(B11E, "0.9 eta*", Kind.CONSTANT, lambda given: below(given, times=Fraction(9, 10))),
            right(B11E, "1.1 eta*", Kind.CONSTANT, lambda given: below(given, times=Fraction(11, 10))),
            right(B11E, "eta*/2", Kind.CONSTANT, lambda given: below(given, times=Fraction(1, 2))),
        ),
    ),
)

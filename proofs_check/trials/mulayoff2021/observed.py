"""How the claims of `theory.mulayoff2021.observed` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from proofs_check.kept import Reading
from proofs_check.trial import Trial
from proofs_check.trials.operators import Kind, Mutant, left, negated, right, scaled, stronger, turned, without
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.mulayoff2021.observed import M10, M11, M11A, M12, M12A, M12B

_SWEEP = ("sharpness", "stable_sharpness", "interpolates")
_RAISED = "raised_stable_sharpness"


def _ratio(given: Instance, above: str, below: str) -> Fraction:
    return Fraction(given[above]) / Fraction(given[below])


def _sharper_than(share: Fraction) -> Mutant:
    return right(
        M12A,
        f"sharpness above {float(2 * share)}/(c eta)",
        Kind.CONSTANT,
        lambda given: Enclosure.exactly(Fraction(given["sharpness"]) > share * Fraction(given["stable_sharpness"])),
    )


TRIALS = (
    Trial(
        M10,
        instances=Reading("weight_function", {"distance": "distance", "n": "n"}),
        mutants=(
            scaled(M10, Fraction(1, 4)),
            turned(M10),
            left(
                M10,
                "decays like 1/n",
                Kind.DROPPED,
                lambda given: (Fraction(given["distance"]) * Fraction(given["n"])) ** 2,
            ),
        ),
    ),
    Trial(M11, instances=Reading("stability_sweep", {name: name for name in _SWEEP})),
    Trial(
        M11A,
        instances=Reading(
            "stability_sweep", {name: name for name in (*_SWEEP, "sharpness_lower_bound", "units_within_a_step")}
        ),
        mutants=(
            stronger(M11A),
            turned(M11A),
            without(M11A, M11A.assumptions[1].name),
            left(
                M11A,
                "1 + 2 int |f''| g above the sharpness",
                Kind.REVERSED,
                lambda given: _ratio(given, "sharpness", "sharpness_lower_bound"),
            ),
            left(
                M11A,
                "sharpness above 2/eta",
                Kind.REVERSED,
                lambda given: _ratio(given, "stable_sharpness", "sharpness"),
            ),
        ),
        spared={
            f"without: {M11A.assumptions[0].name}": "true of the runs that were kept, those that end at a loss among them"
        },
    ),
    Trial(
        M12,
        instances=Reading(
            "step_size_jump",
            {name: name for name in ("factor", "rise", "raised_curvature", "constant_curvature")},
            ("arrived",),
        ),
    ),
    Trial(
        M12A,
        instances=Reading(
            "step_size_jump",
            {"sharpness": "switch_sharpness", "stable_sharpness": _RAISED, "rise": "rise"},
            ("arrived",),
        ),
        mutants=(
            negated(M12A),
            _sharper_than(Fraction(99, 100)),
            _sharper_than(Fraction(11, 10)),
            _sharper_than(Fraction(1, 2)),
            left(M12A, "any rise of the loss", Kind.CONSTANT, lambda given: Enclosure.exactly(bool(given["rise"] > 1))),
        ),
    ),
    Trial(
        M12B,
        instances=Reading(
            "step_size_jump",
            {
                "rise": "rise",
                "raised_sharpness": "raised_sharpness",
                "constant_sharpness": "constant_sharpness",
            },
            ("arrived",),
        ),
        mutants=(
            turned(M12B),
            without(M12B, M12B.assumptions[0].name),
            right(
                M12B,
                "a tenth as sharp",
                Kind.CONSTANT,
                lambda given: Enclosure.exactly(Fraction(given["constant_sharpness"]) / 10),
            ),
        ),
    ),
)

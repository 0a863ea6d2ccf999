"""Mutants of what Mulayoff, Michaeli and Soudry 2021 observe, M10 to M12, to be refuted by the rows that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from proofs_check.mutants.operators import Kind, Mutant, left, negated, right, stronger, turned, without
from theory.claim import Instance
from theory.claims.mulayoff2021_observed import M10, M11A, M12A, M12B
from theory.enclosure import Enclosure


def _ratio(given: Instance, above: str, below: str) -> Fraction:
    return Fraction(given[above]) / Fraction(given[below])


def _sharper_than(share: Fraction) -> Mutant:
    return right(
        M12A,
        f"sharpness above {float(2 * share)}/(c eta)",
        Kind.CONSTANT,
        lambda given: Enclosure.exactly(Fraction(given["sharpness"]) > share * Fraction(given["stable_sharpness"])),
    )


MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "M10": (
        stronger(M10),
        turned(M10),
        left(
            M10,
            "decays like 1/n",
            Kind.DROPPED,
            lambda given: (Fraction(given["distance"]) * Fraction(given["n"])) ** 2,
        ),
    ),
    "M11.a": (
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
            M11A, "sharpness above 2/eta", Kind.REVERSED, lambda given: _ratio(given, "stable_sharpness", "sharpness")
        ),
    ),
    "M12.a": (
        negated(M12A),
        _sharper_than(Fraction(99, 100)),
        _sharper_than(Fraction(11, 10)),
        _sharper_than(Fraction(1, 2)),
        left(M12A, "any rise of the loss", Kind.CONSTANT, lambda given: Enclosure.exactly(bool(given["rise"] > 1))),
    ),
    "M12.b": (
        turned(M12B),
        without(M12B, M12B.assumptions[0].name),
        right(
            M12B,
            "a tenth as sharp",
            Kind.CONSTANT,
            lambda given: Enclosure.exactly(Fraction(given["constant_sharpness"]) / 10),
        ),
    ),
}
"""The mutants of each claim, by id."""

"""B24: the complexity and the output of a ReLU network without biases at initialisation, in the mean over its weights."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from theory.beyond import initialisation_proofs as proofs
from theory.checks import Array, dot, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dherin2022 import expected_geometric_complexity
from theory.enclosure import Enclosure
from theory.random_networks import forward, generic, layers_fit, rows_of, unit_on_a_plane, variance
from theory.sources import HOUSE, Source
from theory.symbols import INPUT, ROWS, SUPPORTS


def _isotropic() -> Assumption:
    return Assumption(
        "E w w^T = v I for the rows of each layer",
        lambda given: [variance(support) for support in given["supports"]],
        lambda found: None not in found,
    )


def _mean(given: Instance, of: Callable[[Array, Array], Any], *, most: int | None = None) -> Fraction:
    """Return the mean of a function of f(x) and the Jacobian over all networks, or over their first layers, masked."""
    total, many = Fraction(0), 0
    for network in rows_of(given["supports"][:most], given["rows"][:most]):
        outputs, jacobian = forward(network, given["x"])
        if most is not None:
            active = (outputs > 0).astype(int)
            outputs, jacobian = outputs * active, jacobian * active[:, None]
        total, many = total + Fraction(of(outputs, jacobian)), many + 1
    return total / many


def squared_jacobian(outputs: Array, jacobian: Array) -> Any:
    """Return |J|_F^2."""
    return (jacobian * jacobian).sum()


def squared_output(outputs: Array, jacobian: Array) -> Any:
    """Return |f(x)|^2."""
    return dot(outputs, outputs)


def variances(given: Instance) -> list[Fraction]:
    """Return v_1, .., v_l: the mean of the squares of the entries of each layer, exactly."""
    return [Fraction((s * s).sum()) / s.size for s in given["supports"]]


def law(given: Instance) -> Fraction:
    """Return d prod v_i prod n_i / 2^(l-1), exactly."""
    return Fraction(expected_geometric_complexity([len(given["x"]), *given["rows"]], variances(given)))


def _complexity_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(_mean(given, squared_jacobian)), Enclosure.exactly(law(given))


def _output_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    x = given["x"]
    return Enclosure.exactly(_mean(given, squared_output)), Enclosure.exactly(law(given) * Fraction(dot(x, x)) / len(x))


def _reads(given: Instance, of: Callable[[Array, Array], Any], start: Fraction) -> dict[str, Any]:
    """Return the means after each layer, and what each multiplies the mean by: n v / 2, the last n v."""
    depth = len(given["rows"])
    halves = [Fraction(1, 2)] * (depth - 1) + [Fraction(1)]
    triples = zip(given["rows"], variances(given), halves, strict=True)
    return {
        "m": depth,
        "E": [start, *(_mean(given, of, most=i) for i in range(1, depth)), _mean(given, of)],
        "c": [n * v * half for n, v, half in triples],
    }


_FIT = Assumption(
    "the layers fit each other and the input",
    lambda given: layers_fit(given["supports"], given["rows"], given["x"]),
    bool,
)
_OFF_PLANES = Assumption(
    "w.h != 0 for rows w and inputs h != 0 of a hidden layer",
    lambda given: unit_on_a_plane(given["supports"], given["rows"], given["x"]),
    lambda found: not found,
)

B24 = Claim(
    id="B24",
    source=Source(HOUSE, "B24"),
    statement=r"E\, \|J(x)\|_F^2 = n_0\, v_1 \prod_{i=2}^{l} \tfrac{n_{i-1} v_i}{2}\; n_l,\quad x \ne 0",
    form=Form.IDENTITY,
    symbols=(SUPPORTS, ROWS, INPUT),
    assumptions=(_FIT, _isotropic(), _OFF_PLANES),
    sides=_complexity_sides,
    bound=expected_geometric_complexity,
    bound_on=lambda given: float(law(given)),
    proof=proofs.b24,
    reads=lambda given: _reads(given, squared_jacobian, Fraction(len(given["x"]))),
    finding=Finding.OURS,
    note="Networks that are dead at x need no term of their own: J is 0 there whatever the slope of the ReLU at 0. Rows "
    "of a layer need not be independent, nor entries of a row: scaled orthogonal matrices count. The same at every x, "
    "so for every data set. Rows on a plane through x (entries +-1, say) lose more: then <=, with 0 for the slope at 0.",
    extremal=Instance(
        {"supports": [generic(2), generic(1)], "rows": [1, 1], "x": rationals([1, 2])},
        "named",
    ),
)

B24A = Claim(
    id="B24.a",
    amends="B24",
    source=Source(HOUSE, "B24, outputs"),
    statement=r"E\, |f(x)|^2 = |x|^2\, v_1 \prod_{i=2}^{l} \tfrac{n_{i-1} v_i}{2}\; n_l",
    form=Form.IDENTITY,
    symbols=(SUPPORTS, ROWS, INPUT),
    assumptions=(_FIT, _isotropic()),
    sides=_output_sides,
    bound=expected_geometric_complexity,
    bound_on=lambda given: float(law(given) * Fraction(dot(given["x"], given["x"])) / len(given["x"])),
    proof=proofs.b24a,
    reads=lambda given: _reads(given, squared_output, Fraction(dot(given["x"], given["x"]))),
    finding=Finding.OURS,
    note="So E |f(x)|^2 / |x|^2 = E GC / d; here units that are 0 at x cost nothing, and rows may lie on a plane "
    "through x.",
    extremal=B24.extremal,
)

CLAIMS = (B24, B24A)

import math
import re
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theory.checks import Array, rationals
from theory.enclosure import (
    EPS,
    LARGEST,
    SMALLEST,
    Enclosure,
    exponential,
    logarithm,
    positive_semidefinite,
    rounded,
    rounded_down,
    square_root,
    top_eigenvalue,
    top_in_floats,
)

NAN = float("nan")
positive_rationals = st.one_of(
    st.fractions(min_value=0),
    st.builds(
        lambda p, q, e: Fraction(p, q) * Fraction(2) ** e,
        st.integers(1, 99),
        st.integers(1, 99),
        st.integers(-900, 900),
    ),
)


@st.composite
def symmetric_integers(draw: st.DrawFn, *, most: int = 5, gram: bool = False) -> Array:
    n = draw(st.integers(1, most))
    rank = draw(st.integers(1, most)) if gram else n
    entries = np.array([[draw(st.integers(-4, 4)) for _ in range(rank)] for _ in range(n)])
    return rationals(entries @ entries.T if gram else entries + entries.T)


@given(positive_rationals)
def test_square_roots_are_enclosed_to_the_stated_width(value: Fraction) -> None:
    root = square_root(value)
    assert 0 <= root.lower**2 <= value <= root.upper**2
    assert root.upper - root.lower <= Fraction(root.lower) / 2**120


@given(positive_rationals)
def test_square_roots_of_squares_are_exact(value: Fraction) -> None:
    assert square_root(value**2) == Enclosure.exactly(value)


@given(st.fractions(min_value=Fraction(1, 100)), st.integers(1, 40))
def test_few_bits_still_enclose(value: Fraction, bits: int) -> None:
    root = square_root(value, bits=bits)
    assert root.lower**2 <= value <= root.upper**2
    assert root.upper - root.lower <= Fraction(root.lower) / 2**bits


def test_the_root_of_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^value must not be negative, got -1/2$"):
        square_root(Fraction(-1, 2))


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(1, 0), (NAN, 1.0), (0.0, NAN), (Fraction(1, 3), 1 / 3)],
    ids=["integers", "nan below", "nan above", "a third and its float"],
)
def test_ends_in_the_wrong_order_are_refused(lower: float, upper: float) -> None:
    message = f"lower must not exceed upper, got {lower} and {upper}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Enclosure(lower, upper)


def test_intervals_of_a_number() -> None:
    assert Enclosure.exactly(True) == Enclosure(Fraction(1), Fraction(1))
    false: Any = np.bool_(False)
    assert Enclosure.exactly(false) == Enclosure(Fraction(0), Fraction(0))
    assert Enclosure.around(1.0, 0.25) == Enclosure(0.75, 1.25)
    assert Enclosure(Fraction(0), Fraction(1)).midpoint == Fraction(1, 2)
    assert Enclosure(Fraction(0), Fraction(1)) + Enclosure.exactly(Fraction(1, 3)) == Enclosure(
        Fraction(1, 3), Fraction(4, 3)
    )


@example(1.0, 2.0**-60)
@example(5e-324, 5e-324)
@example(1.7e308, 1.7e308)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, allow_nan=False, allow_infinity=False))
def test_ends_of_floats_are_rounded_outwards(value: float, error: float) -> None:
    for found in (Enclosure.around(value, error), Enclosure.exactly(value) + Enclosure(-error, error)):
        assert found.lower <= Fraction(value) - Fraction(error)
        assert Fraction(value) + Fraction(error) <= found.upper
        assert found.upper <= math.nextafter(value + error, math.inf)
        assert math.nextafter(value - error, -math.inf) <= found.lower


ends = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.fractions(),
    st.builds(lambda value, off: Fraction(value) + off, st.floats(-1e16, 1e16), st.fractions(-1, 1)),
    st.integers(-(2**70), 2**70),
    st.sampled_from([Fraction(10) ** 400, -(Fraction(10) ** 400), Fraction(1, 10**400)]),
)


@example(1.0, Fraction(-1) - Fraction(1, 2**60))  # the rational rounded to a float cancels the float
@example(1e16, 2**60 + 1)
@example(1.0, Fraction(10) ** 400)
@given(ends, ends)
def test_sums_of_floats_and_rationals_hold_the_exact_sum(a: float | Fraction, b: float | Fraction) -> None:
    exact = Fraction(a) + Fraction(b)
    for found in (Enclosure.exactly(a) + Enclosure.exactly(b), Enclosure.exactly(b) + Enclosure.exactly(a)):
        assert found.lower <= exact <= found.upper
        if isinstance(a, float) or isinstance(b, float):
            assert found.upper <= math.nextafter(found.lower, math.inf)
    widened = Enclosure.exactly(a).widened(abs(b))
    assert widened.lower <= Fraction(a) - abs(Fraction(b))
    assert Fraction(a) + abs(Fraction(b)) <= widened.upper


@given(ends, ends, st.fractions(min_value=0))
def test_negatives_multiples_roots_and_middles_hold_what_they_are_of(
    a: float | Fraction, b: float | Fraction, factor: Fraction
) -> None:
    side = Enclosure(min(a, b), max(a, b))
    assert -side == Enclosure(-max(a, b), -min(a, b))
    assert side.times(factor) == Enclosure(factor * Fraction(min(a, b)), factor * Fraction(max(a, b)))
    assert side.lower <= side.midpoint <= side.upper
    root = side.root()
    assert root.lower**2 <= max(Fraction(side.lower), 0)
    assert max(Fraction(side.upper), 0) <= Fraction(root.upper) ** 2


def test_infinite_ends_stay() -> None:
    side = Enclosure(Fraction(1), math.inf)
    assert side.times(Fraction(2)) == Enclosure(Fraction(2), math.inf)
    assert side.root() == Enclosure(Fraction(1), math.inf)
    assert -side == Enclosure(-math.inf, Fraction(-1))
    assert side + Enclosure.exactly(1.0) == Enclosure(2.0, math.inf)
    assert Enclosure.exactly(math.inf).root() == Enclosure.exactly(math.inf)


@given(ends)
def test_a_rational_is_between_the_floats_beside_it(value: float | Fraction) -> None:
    low, high = (rounded(Fraction(value), towards) for towards in (-math.inf, math.inf))
    assert low <= Fraction(value) <= high <= math.nextafter(low, math.inf)


@pytest.mark.parametrize("value", [Fraction(10) ** 400, -(Fraction(10) ** 400), Fraction(2) ** 1024])
def test_a_bound_beyond_the_range_of_floats_is_refused(value: Fraction) -> None:
    with pytest.raises(
        ValueError, match=r"^a bound must be within the range of floats, got one of about -?2\^1\d\d\d$"
    ):
        rounded_down(value)


@given(st.one_of(st.fractions(), positive_rationals))
def test_a_bound_is_the_largest_float_below(value: Fraction) -> None:
    bound = rounded_down(value)
    assert Fraction(bound) <= value < Fraction(math.nextafter(bound, math.inf))


def test_bounds_at_the_ends_of_the_range_of_floats() -> None:
    assert rounded_down(Fraction(LARGEST)) == LARGEST
    assert rounded_down(Fraction(SMALLEST) / 2) == 0
    assert rounded_down(-Fraction(SMALLEST) / 2) == -SMALLEST


@given(
    st.one_of(st.fractions(min_value=1), st.integers(0, 500).map(lambda k: 1 + Fraction(1, 2**k))), st.integers(1, 90)
)
def test_logarithms_are_those_of_arb(value: Fraction, bits: int) -> None:
    found = logarithm(value, bits=bits)
    before, flint.ctx.prec = flint.ctx.prec, 1200
    lower, exact, upper = (flint.arb(flint.fmpq(v.numerator, v.denominator)) for v in (found.lower, value, found.upper))
    assert not lower > exact.log()
    assert not upper < exact.log()
    flint.ctx.prec = before
    assert found.upper - found.lower <= Fraction(2 + value.numerator.bit_length(), 2**bits)


@given(st.fractions(-40, 40, max_denominator=1000), st.sampled_from([20, 96, 200]))
def test_exponentials_are_those_of_arb(value: Fraction, bits: int) -> None:
    found = exponential(value, bits=bits)
    with flint.ctx.workprec(1200):
        lower, exact, upper = (
            flint.arb(flint.fmpq(v.numerator, v.denominator)) for v in (found.lower, value, found.upper)
        )
        assert not lower > exact.exp()
        assert not upper < exact.exp()
    assert found.upper - found.lower <= found.upper / 2**bits


def test_the_exponential_of_a_number_far_below_zero_is_enclosed_from_zero_on() -> None:
    found = exponential(Fraction(-(10**12), 7))
    assert found.lower == 0 < found.upper < exponential(Fraction(-4000)).lower


def test_an_exponential_takes_no_time_for_the_digits_of_its_argument() -> None:
    value = Fraction(3**20_000, 2**31_692)  # about 152, with 10,000 digits to its denominator
    near = Fraction(round(value * 2**200), 2**200)
    assert exponential(value).lower <= exponential(near, bits=60).upper
    assert exponential(value).upper >= exponential(near, bits=60).lower


def test_the_exponential_of_nothing_is_exact() -> None:
    assert exponential(Fraction(0)) == Enclosure.exactly(Fraction(1))


def test_the_logarithm_of_one_is_exact_and_of_less_is_refused() -> None:
    assert logarithm(Fraction(1)) == Enclosure.exactly(Fraction(0))
    with pytest.raises(ValueError, match=r"^value must be at least 1, got 1/2$"):
        logarithm(Fraction(1, 2))


@given(st.integers(-(2**50), 2**50), st.integers(0, 2**50))
def test_ends_that_are_floats_are_not_rounded(value: int, error: int) -> None:
    assert Enclosure.around(float(value), float(error)) == Enclosure(value - error, value + error)


@given(st.one_of(symmetric_integers(), symmetric_integers(gram=True)))
def test_positive_semidefinite_agrees_with_the_eigenvalues(matrix: Array) -> None:
    values = np.linalg.eigvalsh(matrix.astype(np.float64))
    error = len(matrix) ** 2 * 64 * EPS * max(float(np.abs(values).max()), 1.0)
    if abs(values[0]) > error:
        assert positive_semidefinite(matrix) == (values[0] > 0)
    else:  # integer entries: the product of the non-zero eigenvalues is an integer, so this one is 0
        assert positive_semidefinite(matrix)


@given(symmetric_integers(gram=True))
def test_gram_matrices_are_semidefinite_and_no_less_so(matrix: Array) -> None:
    assert positive_semidefinite(matrix)
    tiny = Fraction(1, 10**40)
    if np.linalg.matrix_rank(matrix.astype(np.float64)) < len(matrix):
        assert not positive_semidefinite(matrix - tiny * rationals(np.eye(len(matrix), dtype=int)))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0]], True),
        ([[-1]], False),
        ([[0, 1], [1, 0]], False),
        ([[0, 0], [0, 1]], True),
        ([[0, 0], [0, -1]], False),
        ([[1, 1], [1, 1]], True),
        ([[1, 2], [2, 3]], False),
        ([[1, 1, 0], [1, 1, 1], [0, 1, 1]], False),
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], True),
        ([[0, 0, 0], [0, 1, 1], [0, 1, 1]], True),
    ],
)
def test_singular_and_zero_pivots(rows: list[list[int]], expected: bool) -> None:
    assert positive_semidefinite(rationals(rows)) is expected


@given(st.one_of(symmetric_integers(), symmetric_integers(gram=True)), st.fractions(-3, 3, max_denominator=50))
def test_exact_top_eigenvalues_are_enclosed(matrix: Array, factor: Fraction) -> None:
    scaled = factor * matrix
    top, identity = top_eigenvalue(scaled), rationals(np.eye(len(matrix), dtype=int))
    floats = float(np.linalg.eigvalsh(scaled.astype(np.float64))[-1])
    assert isinstance(top.lower, Fraction)
    assert isinstance(top.upper, Fraction)
    assert positive_semidefinite(top.upper * identity - scaled)
    assert not positive_semidefinite((top.lower - Fraction(1, 10**30)) * identity - scaled)
    size = float(np.linalg.norm(scaled.astype(np.float64)))
    assert abs(float(top.lower) - floats) <= 16 * len(matrix) * EPS * size
    assert top.upper - top.lower <= 8 * len(matrix) * EPS * size


@given(
    st.lists(st.fractions(-9, 9, max_denominator=1000), min_size=2, max_size=2), st.integers(1, 9), st.integers(1, 9)
)
def test_simple_fractions_come_out_exactly(values: list[Fraction], a: int, b: int) -> None:
    rotation = rationals([[a, -b], [b, a]])  # orthogonal up to a factor
    matrix = rotation @ np.diag(rationals(values)) @ rotation.T / Fraction(a * a + b * b)
    assert top_eigenvalue(matrix) == Enclosure.exactly(max(values))


def test_an_irrational_top_eigenvalue() -> None:
    top = top_eigenvalue(rationals([[0, 1], [1, 1]]))
    golden = square_root(Fraction(5))
    assert top.lower <= (1 + golden.lower) / 2
    assert (1 + golden.upper) / 2 <= top.upper
    assert top.upper - top.lower < Fraction(1, 10**14)


@given(symmetric_integers())
def test_the_interval_of_floats_contains_the_exact_one(matrix: Array) -> None:
    exact, floats = top_eigenvalue(matrix), top_eigenvalue(matrix.astype(np.float64))
    assert floats.lower <= exact.upper
    assert exact.lower <= floats.upper
    assert floats.upper - floats.lower <= 2 * (len(matrix) + 3) ** 2 * EPS * float(
        np.linalg.norm(matrix.astype(np.float64))
    )


@given(symmetric_integers(), st.integers(200, 1074))
def test_the_interval_of_floats_whose_squares_underflow_contains_the_exact_one(matrix: Array, halvings: int) -> None:
    exact, floats = top_eigenvalue(matrix), top_eigenvalue(np.ldexp(matrix.astype(np.float64), -halvings))
    assert Fraction(floats.lower) * 2**halvings <= exact.upper
    assert exact.lower <= Fraction(floats.upper) * 2**halvings


def alternates(matrix: Array, *, strictly: bool) -> bool:
    """Whether a symmetric rational matrix is positive semidefinite, or definite: its characteristic polynomial alternates.

    All its roots are real, so by Descartes none is negative iff no two neighbouring coefficients have one sign. FLINT's
    polynomial shares nothing with the elimination of `positive_semidefinite`.
    """
    n = len(matrix)
    polynomial = flint.fmpq_mat(n, n, [flint.fmpq(e.numerator, e.denominator) for e in matrix.ravel()]).charpoly()
    signed = [(-1) ** (n - k) * polynomial[k] for k in range(n + 1)]
    return all(c > 0 if strictly else c >= 0 for c in signed)


def holds_the_top(found: Enclosure, matrix: Array) -> bool:
    """Whether the largest eigenvalue of a matrix of floats is at most the upper end, and not below the lower one."""
    exact, identity = rationals(matrix), rationals(np.eye(len(matrix), dtype=int))
    above = found.upper == math.inf or alternates(Fraction(found.upper) * identity - exact, strictly=False)
    return above and not alternates(Fraction(found.lower) * identity - exact, strictly=True)


def adversaries(seed: int, count: int) -> list[Array]:
    """Matrices of 1 to 6 rows: graded, all but multiples of I, subnormal, near overflow, Gram matrices that cancel, .."""
    generator = np.random.default_rng(seed)
    found = []
    for index in range(count):
        n = int(generator.integers(1, 7))
        a = generator.normal(size=(n, n))
        a = a + a.T
        least, most = [(0, 16), (-20, 20), (-150, 150)][index % 3]
        grades = 10.0 ** (np.sort(generator.uniform(least, most, size=n)) / 2)
        q = np.linalg.qr(generator.normal(size=(n, n)))[0]
        far = 1e6 + 1e-6 * generator.normal(size=(n, 2))
        thin = 1e-160 * generator.normal(size=(n, 3))
        kinds = [
            a,
            a * np.outer(grades, grades),
            (a * np.outer(grades, grades))[::-1, ::-1],
            (q * (1 + 1e-15 * generator.normal(size=n))) @ q.T,
            1e-310 * a,
            1e307 / n * a,
            1.7e308 * np.sign(a),
            thin @ thin.T,
            far @ far.T,
            -(a @ a.T),
            1 + 1e-8 * a,
            2.0 ** float(generator.integers(-1074, 1020)) * np.round(a),
        ]
        matrix = kinds[index % len(kinds)]
        found.append(np.triu(matrix) + np.triu(matrix, 1).T)
    return [matrix for matrix in found if np.isfinite(matrix).all()]


@pytest.mark.parametrize("seed", range(4))
def test_the_top_eigenvalue_of_floats_is_enclosed_however_graded_tiny_or_huge(seed: int) -> None:
    for matrix in adversaries(seed, 600):
        assert holds_the_top(top_eigenvalue(matrix), matrix), matrix.tolist()


def test_a_wrong_eigensolver_widens_the_interval_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = [matrix for matrix in adversaries(9, 48) if len(matrix) > 1]
    solve = np.linalg.eigh

    def wrong(matrix: Array) -> tuple[Array, Array]:
        values, vectors = solve(matrix)
        return values * 0.9, vectors + 0.01

    monkeypatch.setattr("numpy.linalg.eigh", wrong)
    assert all(holds_the_top(top_eigenvalue(matrix), matrix) for matrix in matrices)


@given(symmetric_integers(), st.integers(1, 10**30))
def test_rationals_may_be_enclosed_in_floats(matrix: Array, denominator: int) -> None:
    exact = top_eigenvalue(matrix / Fraction(denominator))
    found = top_in_floats(np.array([[int(v) for v in row] for row in matrix], dtype=object), denominator)
    assert isinstance(found.lower, float)
    assert found.lower <= exact.upper
    assert exact.lower <= found.upper


@pytest.mark.parametrize("factor", [Fraction(10) ** 400, Fraction(1, 10**400)])
def test_rationals_beyond_floats_have_a_top_eigenvalue(factor: Fraction) -> None:
    top = top_eigenvalue(factor * rationals([[0, 1], [1, 1]]))
    golden = square_root(Fraction(5))
    assert top.lower <= factor * (1 + golden.upper) / 2
    assert factor * (1 + golden.lower) / 2 <= top.upper
    assert top.upper - top.lower < factor / 10**12

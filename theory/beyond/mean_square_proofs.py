"""Proofs of the claims on the step sizes that SGD stays at in mean square (B3, B9).

Common to them: T(X) = E[A X A] is self-adjoint for tr(X Y) and maps positive semidefinite matrices to such.
"""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, bernoulli, cauchy_schwarz, nonnegatives, over_all, reals
from theory.proof import Proof, Rule, Step
from theory.walker2023.linear_stability_proofs import w1

_eta = sp.Symbol("eta", positive=True)
_c = sp.Symbol("c", real=True)
_d, _h, _p = sp.symbols("d h p", nonnegative=True)
_length = sp.Symbol("v", positive=True)
_m2 = sp.Symbol("m_2", nonnegative=True)
_form = 2 * _eta * _c - _eta**2 * _d

PERRON = (
    "Krein and Rutman: T maps the cone of positive semidefinite matrices into itself, so its spectral radius is an eigenvalue "
    "with an eigenvector X in the cone"
)


def matrix(names: str) -> sp.Matrix:
    """Return a symmetric matrix of reals, [2, 2], by the names of its entries."""
    a, b, c = sp.symbols(names, real=True)
    return sp.Matrix([[a, b], [b, c]])


def _perron() -> Step:
    return Step(sp.Symbol(r"\rho(T)"), sp.Symbol(r"\lambda_{\max}(T)"), Rule.CITED, PERRON)


def _of_a_batch() -> Step:
    """Return the second moment of a batch mean, drawn without replacement: D is that of X -> H_batch X H_batch."""
    return w1().steps[0]


def _along() -> tuple[Step, Step]:
    """Return what a step does along X: the quotient of T at X, c and d those of C and D."""
    return (
        _of_a_batch(),
        Step(
            1 - ((1 - _eta * _h) ** 2 + _eta**2 * _p * (_m2 - _h**2)),
            _eta * (2 * _h - _eta * ((1 - _p) * _h**2 + _p * _m2)),
            Rule.IDENTITY,
            "so E[A X A], A = I - eta H_batch, is X - 2 eta C(X) + eta^2 D(X) (written for d = 1, where X cancels; in more "
            "dimensions h X is (H X + X H)/2, h^2 X is H X H and m_2 X is mean H_i X H_i): with tr X^2 = 1, c = tr(X C(X)) "
            "and d = tr(X D(X)) it says that 1 - tr(X T(X)) = 2 eta c - eta^2 d",
        ),
    )


def b3() -> Proof:
    """The second moments stay bounded where 2 C - eta D >= 0."""
    return Proof(
        (
            *_along(),
            _perron(),
            Step(
                sp.Symbol(r"\max_X \operatorname{tr}(X T(X))"),
                sp.Symbol(r"\lambda_{\max}(T)"),
                Rule.CITED,
                "Rayleigh and Ritz, T being self-adjoint: its top eigenvalue is at most 1 iff 2 eta c - eta^2 d >= 0 for all "
                "symmetric X; then all powers of T are bounded by 1",
            ),
            bernoulli(
                sp.Symbol("s", positive=True),
                "and along an eigenvector to 1 + s > 1 the powers of T grow without bound",
            ),
        ),
        "any symmetric H_i, dimension, n and B",
    )


def _energy() -> Step:
    """Return that d >= 0 for X >= 0, as a mean of squares."""
    (entries,) = reals("y")
    return Step(
        over_all(entries[INDEX] ** 2),
        sp.Integer(0),
        Rule.NONNEGATIVE,
        "for X >= 0 d is a mean of ||X^(1/2) H_batch X^(1/2)||_F^2 over batches: each is a sum of squares of entries",
        (over_all(entries[INDEX] ** 2),),
    )


def b3a() -> Proof:
    """Where a step size is stable, so is every smaller one."""
    s = sp.Symbol("s", positive=True)
    return Proof(
        (
            *_along(),
            _perron(),
            _energy(),
            Step(
                2 * (s * _eta) * _c - (s * _eta) ** 2 * _d,
                sp.Integer(0),
                Rule.POLYNOMIAL,
                "so only X >= 0 count, where d >= 0: 2 c >= eta d, and eta d >= s eta d",
                conditions=(sp.Ge(_form, 0), sp.Le(s, 1)),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
    )


def b3b() -> Proof:
    """A larger batch grows no faster."""
    (entries, ones) = reals("y v")
    batch, more, n = (
        sp.Symbol("B", positive=True),
        sp.Symbol("k", nonnegative=True),
        1 + sp.Symbol("m", positive=True),
    )
    spread = sp.Symbol("u", nonnegative=True)
    fall = n * more / (batch * (batch + more) * (n - 1))
    return Proof(
        (
            *_along(),
            _perron(),
            cauchy_schwarz(
                entries,
                ones,
                "with v_i = 1: the mean over i of y_i^2 is at least the square of the mean, for y_i the entries of "
                "X^(1/2) H_i X^(1/2); summed over the entries, mean tr(X H_i X H_i) >= tr(X H X H) for X >= 0",
            ),
            Step(
                (n - batch) / (batch * (n - 1)) - (n - (batch + more)) / ((batch + more) * (n - 1)),
                fall,
                Rule.IDENTITY,
                "p falls from B to B + k",
            ),
            Step(
                1 - 2 * _eta * _c + _eta**2 * (_d + (_p + fall) * spread),
                1 - 2 * _eta * _c + _eta**2 * (_d + _p * spread),
                Rule.NONNEGATIVE,
                "at the eigenvector X >= 0 of the larger batch, tr X^2 = 1, whose quotient is its growth: u >= 0 is "
                "mean tr(X H_i X H_i) - tr(X H X H), d = tr(X H X H), and the growth of the smaller is no less than its own",
                (_eta**2 * fall * spread,),
            ),
        ),
        "any symmetric H_i, dimension, n and B; n = 1 has one batch size",
    )


def contracts() -> Step:
    """Return 1 >= (1 - eta h)^2 for a direction with 0 <= eta h <= 2."""
    return Step(
        sp.Integer(1),
        (1 - _eta * _h) ** 2,
        Rule.POLYNOMIAL,
        "a direction with curvature h, 0 <= eta h <= 2, contracts",
        conditions=(sp.Le(_eta * _h, 2),),
    )


def b3c() -> Proof:
    """Gradient descent's edge is its mean-square threshold."""
    return Proof(
        (
            Step(
                sp.Symbol(r"\rho(X \mapsto A X A)"),
                sp.Symbol(r"\rho(A)^2"),
                Rule.CITED,
                "the eigenvalues of A (x) A are the products of those of A",
            ),
            contracts(),
            Step(
                (1 - _eta * _h) ** 2,
                1 + 2 * (_eta * _h - 2),
                Rule.POLYNOMIAL,
                "and with eta h > 2 it grows by more than 1",
                conditions=(sp.Ge(_eta * _h, 2),),
            ),
        ),
        "any dimension and n",
    )


def b3d() -> Proof:
    """The forms of C and D at X = Phi^T Y Phi in terms of the Gram matrix."""
    a, b, c, e, r, s, t = sp.symbols("a b c e r s t", real=True)
    phi, y = sp.Matrix([[a, b], [c, e]]), sp.Matrix([[r, s], [s, t]])
    gram, x, mean = phi * phi.T, phi.T * y * phi, phi.T * phi / 2
    inner = gram * y * gram
    along = [(phi.row(i) * x * phi.row(i).T)[0, 0] for i in range(2)]
    return Proof(
        (
            Step(
                (x * mean * x).trace(), (gram * y * gram * gram * y).trace() / 2, Rule.IDENTITY, "tr(X C(X)), n = d = 2"
            ),
            Step(
                (x * mean * x * mean).trace(),
                (gram * gram * y * gram * gram * y).trace() / 4,
                Rule.IDENTITY,
                "tr(X H X H), n = d = 2",
            ),
            Step(
                along[0] ** 2 + along[1] ** 2,
                inner[0, 0] ** 2 + inner[1, 1] ** 2,
                Rule.IDENTITY,
                "sum_i (phi_i^T X phi_i)^2 = sum_i (G Y G)_ii^2, n = d = 2",
            ),
            Step(
                sp.Symbol(r"\operatorname{tr}(PQ)"),
                sp.Symbol(r"\operatorname{tr}(QP)"),
                Rule.CITED,
                "the trace of a product does not change as its factors rotate, which gives the three for all n and d; every "
                "symmetric X on the span of the features is Phi^T Y Phi",
            ),
            Step(
                sp.Integer(1),
                (1 - _eta * _h) ** 2,
                Rule.POLYNOMIAL,
                "off the span T keeps X, and between the span and its complement it is X -> (I - eta H) X, which does not grow "
                "where eta h <= 2; the condition asks for that at X = v v^T, v an eigenvector of H in the span, as d >= h^2",
                conditions=(sp.Ge(2 * _eta * _h - _eta**2 * _d, 0), sp.Ge(_d, _h**2)),
            ),
        ),
        "any number of points and weights, any B",
    )


def b3e() -> Proof:
    """What a stable step size obeys along one direction."""
    quotient, hessian = sp.Symbol("q", positive=True), matrix("h_1 h_2 h_3")
    v = sp.Matrix(sp.symbols("v_1 v_2", real=True))
    x = v * v.T
    mean, square = sp.Symbol("a", positive=True), sp.Symbol("m_2", nonnegative=True)
    return Proof(
        (
            *_along(),
            Step(
                (x * hessian * x * hessian).trace(),
                (v.T * hessian * v)[0, 0] ** 2,
                Rule.IDENTITY,
                "at X = v v^T: tr(X H_i X H_i) = (v^T H_i v)^2, and likewise tr(X H X) = |v|^2 v^T H v",
                sizes="d = 2",
            ),
            Step(
                2 * _length * mean / quotient,
                _eta,
                Rule.POLYNOMIAL,
                "with q = (1 - p)(v^T H v)^2 + p mean (v^T H_i v)^2 > 0: 2 eta c - eta^2 q >= 0, divided by eta q",
                uses=(0, 1, 2, 4),
                conditions=(sp.Ge(2 * _eta * _length * mean - _eta**2 * quotient, 0),),
            ),
            Step(
                (1 - _p) * mean**2 + _p * square,
                mean**2,
                Rule.POLYNOMIAL,
                "q > 0: the mean of squares is at least the square of the mean, so q is at least (v^T H v)^2",
                conditions=(sp.Ge(square, mean**2), sp.Le(_p, 1)),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=_eta,
        rhs=2 * _length * mean / quotient,
    )


def b3f() -> Proof:
    """What a stable step size obeys in traces."""
    quotient, trace = sp.symbols("q t", positive=True)
    return Proof(
        (
            *_along(),
            Step(
                2 * trace / quotient,
                _eta,
                Rule.POLYNOMIAL,
                "at X = I: tr C(I) = t = tr H, tr D(I) = q = (1 - p) tr H^2 + p mean tr H_i^2, which is above 0 as tr H is",
                conditions=(sp.Ge(2 * _eta * trace - _eta**2 * quotient, 0),),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
    )


def _traces(size: sp.Expr, trace: sp.Expr) -> sp.Basic:
    """Return the condition at X = I for H_i = phi_i phi_i^T, with F = ||H||_F, t = tr H, in units of 1/eta."""
    return sp.Ge(2 * trace, (1 - _p) * size**2 + _p * trace**2)


def _fourth_moments() -> Step:
    (sizes, ones) = reals("s v")
    return cauchy_schwarz(
        sizes, ones, "with s_i = |phi_i|^2 = tr H_i, v_i = 1: mean tr H_i^2 = mean |phi_i|^4 is at least (tr H)^2"
    )


def b3g() -> Proof:
    """What the Frobenius norm of H obeys where H_i = phi_i phi_i^T."""
    size, trace = sp.symbols("F t", nonnegative=True)
    share = sp.Symbol("p", positive=True)
    (curvatures,) = nonnegatives("h")
    whole = over_all(curvatures[INDEX])
    return Proof(
        (
            *_along(),
            _fourth_moments(),
            Step(
                1 / share,
                2 * trace - share * trace**2,
                Rule.NONNEGATIVE,
                "at X = I, with t = eta tr H, F = eta ||H||_F: (1 - p) F^2 + p t^2 <= 2 t, so (1 - p) F^2 <= 1/p",
                (share * (trace - 1 / share) ** 2,),
            ),
            Step(
                whole**2,
                over_all(curvatures[INDEX] ** 2),
                Rule.INDUCTION,
                "and F <= t: the square of the sum of the eigenvalues of H is at least the sum of their squares",
                (2 * curvatures[COUNT + 1] * whole,),
                variable=COUNT,
                base=1,
            ),
            Step(
                sp.Integer(2),
                size,
                Rule.POLYNOMIAL,
                "so that F <= 2 where p >= 1/2",
                conditions=(_traces(size, trace), sp.Ge(trace, size), sp.Ge(_p, sp.Rational(1, 2)), sp.Le(_p, 1)),
            ),
        ),
        "H_i = phi_i phi_i^T, any dimension, n and B < n",
    )


def b3h() -> Proof:
    """What the trace of H obeys where H_i = phi_i phi_i^T."""
    trace, dimension = sp.symbols("t k", positive=True)
    square = sp.Symbol("s", nonnegative=True)
    (curvatures, ones) = reals("h v")
    return Proof(
        (
            *_along(),
            _fourth_moments(),
            cauchy_schwarz(curvatures, ones, "with h_i the eigenvalues of H, v_i = 1: d tr H^2 is at least (tr H)^2"),
            Step(
                sp.Integer(2),
                trace * (_p + (1 - _p) / dimension),
                Rule.POLYNOMIAL,
                "at X = I, with t = eta tr H, s = eta^2 tr H^2, k = d: (1 - p) s + p t^2 <= 2 t and k s >= t^2",
                conditions=(
                    sp.Ge(2 * trace, (1 - _p) * square + _p * trace**2),
                    sp.Ge(dimension * square, trace**2),
                    sp.Le(_p, 1),
                ),
            ),
        ),
        "H_i = phi_i phi_i^T, any dimension, n and B",
    )


def _no_growth() -> Step:
    return Step(
        sp.Symbol("I"),
        sp.Symbol("T(I)"),
        Rule.CITED,
        "Collatz and Wielandt: where T(I) <= I also T^k(I) <= I, and every X is below a multiple of I, so T has spectral "
        "radius at most 1",
    )


def b3i() -> Proof:
    """Below the bound by norms no vector's mean square grows."""
    most, top, curvature = sp.symbols("L l h", nonnegative=True)
    return Proof(
        (
            Step(
                most * curvature,
                curvature**2,
                Rule.POLYNOMIAL,
                "H_i^2 <= L H_i for L the largest lambda_max(H_i), eigenvalue by eigenvalue, so mean H_i^2 <= L H; likewise "
                "H^2 <= l H, l = lambda_max(H)",
                conditions=(sp.Le(curvature, most),),
            ),
            Step(
                2 * _h,
                _eta * ((1 - _p) * _c + _p * _d),
                Rule.POLYNOMIAL,
                "along any direction, h, c and d the quotients of H, H^2 and mean H_i^2: D(I) <= (2/eta) C(I)",
                conditions=(
                    sp.Ge(top * _h, _c),
                    sp.Ge(most * _h, _d),
                    sp.Le(_p, 1),
                    sp.Le(_eta * ((1 - _p) * top + _p * most), 2),
                ),
            ),
            _no_growth(),
        ),
        "H_i >= 0, any dimension, n and B",
    )


def b3j() -> Proof:
    """Where no vector's mean square grows in a step, it stays bounded."""
    return Proof(
        (
            _of_a_batch(),
            Step(
                1 - ((1 - _eta * _h) ** 2 + _eta**2 * _p * (_m2 - _h**2)),
                _eta * (2 * _h - _eta * ((1 - _p) * _h**2 + _p * _m2)),
                Rule.IDENTITY,
                "E ||w'||^2 is at most ||w||^2 along every direction iff eta ((1 - p) H^2 + p mean H_i^2) <= 2 H (written for "
                "one dimension; in more the two are quadratic forms, w^T H^2 w for h^2)",
            ),
            _no_growth(),
        ),
        "H_i >= 0, any dimension, n and B",
    )


def b3k() -> Proof:
    """Up to B/n of gradient descent's edge no batch expands."""
    batch, rest = sp.symbols("b r", nonnegative=True)
    size, n = sp.symbols("B n", positive=True)
    return Proof(
        (
            Step(
                (n / size) * ((batch + rest) / n),
                batch / size,
                Rule.NONNEGATIVE,
                "H_batch <= (n/B) H: along any direction, b the sum over the batch, r >= 0 that over the other points",
                (rest / size,),
            ),
            contracts(),
            Step(
                sp.Symbol(r"\|w\|"),
                sp.Symbol(r"\|A w\|"),
                Rule.CITED,
                "Rayleigh and Ritz: with eta lambda_max(H) <= 2 B/n no batch expands, and E ||w||^2 does not grow",
            ),
        ),
        "H_i >= 0, any dimension, n and B",
    )

"""Proofs of the claims on the step sizes that SGD stays at in mean square (B3), for any size of the symmetric matrices.

A symmetric X is put into the forms of C and D: tr(X C(X)) is the mean of h_i = tr(X H_i X), and tr(X D(X)) is made of the
q_ij = tr(X H_i X H_j), of which tr(X H X H) is the mean over all i and j. What is said for all X is held against the claims
at an X that decides it.
"""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, nonnegatives, over_all, reals
from theory.proof import Proof, Rule, Step

_OTHER = sp.Symbol("j", integer=True)
_eta = sp.Symbol("eta", positive=True)
_p = sp.Symbol("p", nonnegative=True)
_batch = sp.Symbol("B", positive=True)

KREIN_RUTMAN = (
    "Krein and Rutman: T maps the cone of positive semidefinite matrices into itself, so its spectral radius is an eigenvalue "
    "with an eigenvector X in the cone"
)
RAYLEIGH_RITZ = "Rayleigh and Ritz: a self-adjoint map's top eigenvalue is the largest of its quotients"


def _both(names: str) -> sp.Expr:
    """Return the sum of an indexed symbol over all pairs of points."""
    (entries,) = reals(names)
    return sp.Sum(entries[INDEX, _OTHER], (INDEX, 1, COUNT), (_OTHER, 1, COUNT))


def _mean(names: str) -> sp.Expr:
    """Return the mean of an indexed symbol over the points."""
    (entries,) = reals(names)
    return over_all(entries[INDEX]) / COUNT


def _diagonal(names: str) -> sp.Expr:
    """Return the mean of an indexed symbol over the pairs of a point and itself."""
    (entries,) = reals(names)
    return over_all(entries[INDEX, INDEX]) / COUNT


_c, _whole, _parts = _mean("h"), _both("q") / COUNT**2, _diagonal("q")


def _noisy(whole: sp.Expr, parts: sp.Expr, share: sp.Expr = _p) -> sp.Expr:
    """Return (1 - p) whole + p parts."""
    return (1 - share) * whole + share * parts


_d = _noisy(_whole, _parts)


def shares() -> tuple[Step, Step]:
    """Return 1/B = p + (1 - p)/n, and the chance of two points to lie in one batch by p; for n >= 2, n = 1 + f."""
    n = 1 + sp.Symbol("f", positive=True)
    share = (n - _batch) / (_batch * (n - 1))
    return (
        Step(share + (1 - share) / n, 1 / _batch, Rule.IDENTITY, "p = (n - B)/(B (n - 1)); for n = 1, p = 0 and B = 1"),
        Step(
            _batch * (_batch - 1) / (n * (n - 1)),
            _batch**2 * (1 - share) / n**2,
            Rule.IDENTITY,
            "the chance of two points to lie in one batch; for n = 1 there are no two",
        ),
    )


def b3() -> Proof:
    """The second moments stay bounded where 2 C - eta D >= 0."""
    size = sp.Symbol("x", positive=True)
    count = sp.Symbol("N", integer=True, positive=True)
    first, moved, turned, flipped = reals("u y w z")
    means = [sp.Sum(part[INDEX], (INDEX, 1, count)) / count for part in reals("t s")]
    batches = size - 2 * _eta * _c + _eta**2 * (_parts / _batch + (1 - _p) * (_whole - _parts / COUNT))
    form = sp.Ge(2 * _c - _eta * _d, 0)
    drawn, averaged = sp.Le(batches, size), sp.Le(means[0], size)
    share = sp.Eq(_p + (1 - _p) / COUNT, 1 / _batch)
    lower = sp.Symbol("r", positive=True)
    u, y, w, z = (part[INDEX] for part in (first, moved, turned, flipped))
    why = (
        "of n points one lies in the batch with probability B/n, and two with B (B - 1)/(n (n - 1)) = B^2 (1 - p)/n^2: so the "
        "mean of tr(X A X A) over the batches, A = I - eta H_batch, H_batch the sum of the H_i / B, is at most tr X^2"
    )
    return Proof(
        (
            Step(
                over_all((u - _eta * y) * (w - _eta * z)),
                over_all(u * w) - _eta * over_all(u * z + y * w) + _eta**2 * over_all(y * z),
                Rule.IDENTITY,
                "one batch, over all entries: u those of X, y of X H_batch, w and z the same transposed: tr(X A X A) is "
                "tr X^2 - 2 eta tr(X H_batch X) + eta^2 tr(X H_batch X H_batch)",
            ),
            *shares(),
            Step(drawn, form, Rule.POLYNOMIAL, why, conditions=(share,), uses=(1, 2)),
            Step(form, drawn, Rule.POLYNOMIAL, why, conditions=(share,), uses=(1, 2)),
            Step(
                drawn,
                averaged,
                Rule.CITED,
                "Horvitz and Thompson: a sum over a random sample, and over its pairs, has as its mean the sum over all, each "
                "with its probability; t_i is tr(X A X A) for batch i of N",
                uses=(0,),
            ),
            Step(
                averaged,
                sp.And(averaged, sp.Ge(means[1], -lower)),
                Rule.CITED,
                f"{KREIN_RUTMAN}: where no quotient of T exceeds 1 none is below -1, at X = Y with tr Y^2 = r and s_i for t_i; "
                "and by the spectral theorem the powers of the self-adjoint T are bounded iff its eigenvalues lie in [-1, 1]",
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=form,
        rhs=sp.And(averaged, sp.Ge(means[1], -lower)),
    )


def _energy() -> Step:
    """Return that the form of D is not negative for X >= 0."""
    mean = _mean("y")
    (entries,) = reals("y")
    return Step(
        _noisy(mean**2, over_all(entries[INDEX] ** 2) / COUNT),
        sp.Integer(0),
        Rule.POLYNOMIAL,
        "for X >= 0 d >= 0: q_ij is the sum of y_i y_j over the entries y_i of X^(1/2) H_i X^(1/2), and this is the share of "
        "one entry",
        conditions=(sp.Le(_p, 1),),
    )


def b3a() -> Proof:
    """Where a step size is stable, so is every smaller one."""
    s = sp.Symbol("s", positive=True)
    before, after = sp.Ge(2 * _c - _eta * _d, 0), sp.Ge(2 * _c - s * _eta * _d, 0)
    forms = [
        sp.Ge(2 * _mean(f"h_{k}") - step * _noisy(_both(f"q_{k}") / COUNT**2, _diagonal(f"q_{k}")), 0)
        for k, step in ((1, _eta), (2, s * _eta))
    ]
    return Proof(
        (
            _energy(),
            Step(forms[0], before, Rule.CITED, f"{KREIN_RUTMAN}: so of all symmetric X only X >= 0 count, at eta"),
            Step(
                after,
                before,
                Rule.POLYNOMIAL,
                "2 c >= eta d, and eta d >= s eta d",
                conditions=(sp.Ge(_d, 0), sp.Le(s, 1)),
                uses=(0,),
            ),
            Step(forms[1], after, Rule.CITED, f"{KREIN_RUTMAN}: and at s eta"),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=forms[0],
        rhs=forms[1],
    )


def b3b() -> Proof:
    """A larger batch grows no faster."""
    (entries, ones) = reals("y v")
    more = sp.Symbol("k", nonnegative=True)
    fewer = sp.Symbol("f", positive=True)
    n = 1 + fewer
    less = sp.Symbol("p_2", nonnegative=True)
    top = 1 - 2 * _eta * _mean("h_1") + _eta**2 * _noisy(_both("q_1") / COUNT**2, _diagonal("q_1"))
    own, larger = (1 - 2 * _eta * _c + _eta**2 * _noisy(_whole, _parts, share) for share in (_p, less))
    return Proof(
        (
            cauchy_schwarz(
                entries,
                ones,
                "with v_i = 1: the mean over i of y_i^2 is at least the square of the mean, for y_i the entries of "
                "X^(1/2) H_i X^(1/2); summed over the entries, the mean of the q_ii is at least that of all q_ij, for X >= 0",
            ),
            Step(
                (n - _batch) / (_batch * (n - 1)),
                (n - (_batch + more)) / ((_batch + more) * (n - 1)),
                Rule.NONNEGATIVE,
                "p falls from B to B + k; n = 1 has one batch size",
                (n * more / (_batch * (_batch + more) * (n - 1)),),
            ),
            Step(
                sp.Symbol(r"\rho(T)"),
                sp.Symbol(r"\lambda_{\max}(T)"),
                Rule.CITED,
                f"{KREIN_RUTMAN}, of trace 1 of X^2: the growth is the quotient there",
            ),
            Step(
                top,
                own,
                Rule.CITED,
                f"{RAYLEIGH_RITZ}: that of the smaller batch is no less at its own eigenvector than at X, the larger one's",
                uses=(2,),
            ),
            Step(
                own,
                larger,
                Rule.POLYNOMIAL,
                "at X >= 0 less noise means less growth",
                conditions=(sp.Ge(_parts, _whole), sp.Ge(_p, less)),
                uses=(0, 1),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=larger,
        rhs=top,
    )


def b3c() -> Proof:
    """Gradient descent's edge is its mean-square threshold."""
    top = sp.Symbol("h", nonnegative=True)
    (x,) = reals("x")
    f, g = nonnegatives("f g")
    one = sp.Symbol("x", real=True)
    first, second = sp.symbols("f g", nonnegative=True)
    plain = {x[INDEX]: one, f[INDEX]: first, g[INDEX]: second}
    within = (sp.Le(f[INDEX], top), sp.Le(g[INDEX], top))
    term = x[INDEX] ** 2 * (f[INDEX] + g[INDEX] - _eta * f[INDEX] * g[INDEX])
    least = x[INDEX] ** 2 * (f[INDEX] + g[INDEX]) * (1 - _eta * top / 2)
    curved = over_all(x[INDEX] ** 2 * (f[INDEX] + g[INDEX]))
    edge, stable = sp.Le(_eta * top, 2), sp.Ge(over_all(term), 0)
    return Proof(
        (
            Step(
                term.subs(plain),
                least.subs(plain),
                Rule.POLYNOMIAL,
                "the entry x of X at two eigenvectors of H, with eigenvalues f and g up to h = lambda_max(H): what it adds to "
                "2 tr(X H X) - eta tr(X H X H)",
                conditions=tuple(c.subs(plain) for c in within),
            ),
            Step(
                over_all(term),
                over_all(least),
                Rule.SUM,
                "over all entries: at B = n, p = 0, and this is 2 C - eta D",
                term=0,
                conditions=within,
            ),
            Step(
                stable,
                edge,
                Rule.POLYNOMIAL,
                "what is added up is not negative if eta h <= 2",
                conditions=(sp.Ge(over_all(term), curved * (1 - _eta * top / 2)),),
                uses=(1,),
            ),
            Step(
                edge,
                stable,
                Rule.POLYNOMIAL,
                "and at X = v v^T, v the unit eigenvector to h, it is 2 h - eta h^2",
                conditions=(sp.Eq(over_all(term), 2 * top - _eta * top**2),),
            ),
        ),
        "H_i >= 0, any dimension and n",
        lhs=edge,
        rhs=stable,
    )


def b3d() -> Proof:
    """The forms of C and D at X = Phi^T Y Phi in terms of the Gram matrix."""
    (z,) = reals("z")
    off = nonnegatives("b")[0]
    squares = sp.Sum(z[INDEX, _OTHER] ** 2, (INDEX, 1, COUNT), (_OTHER, 1, COUNT))
    diagonal, rest = over_all(z[INDEX, INDEX] ** 2), over_all(off[INDEX])
    along = over_all(reals("a")[0][INDEX])
    whole, curved = sp.symbols("W C", real=True)
    gram = sp.Le(_eta * ((1 - _p) / COUNT * whole + _p * diagonal), 2 * curved)
    stable = sp.Ge(2 * (along + rest) / COUNT - _eta * ((1 - _p) * squares / COUNT**2 + _p * diagonal / COUNT), 0)
    traces = sp.Le(_eta * ((1 - _p) / COUNT * squares + _p * diagonal), 2 * along)
    return Proof(
        (
            Step(
                gram,
                traces,
                Rule.CITED,
                "the trace of a product does not change as its factors rotate: with z = G Y G, W = tr((G^2 Y)^2) is the sum of "
                "all z_ij^2, and C = tr(G Y G^2 Y) that of the a_i, the diagonal of G Y G Y G",
            ),
            Step(
                stable,
                traces,
                Rule.POLYNOMIAL,
                "z_ij = phi_i^T X phi_j, so q_ij = z_ij^2; and h_i = |X phi_i|^2 is a_i + b_i (Pythagoras), a_i the part in "
                "the span of the features, where X acts as some Phi^T Y Phi, and b_i >= 0 that off it, which D does not see",
            ),
            Step(
                traces,
                stable,
                Rule.POLYNOMIAL,
                "at X = Phi^T Y Phi, for which b_i = 0",
                conditions=(sp.Eq(rest, 0),),
            ),
        ),
        "any number of points and weights, any B",
        lhs=gram,
        rhs=stable,
    )


def b3e() -> Proof:
    """What a stable step size obeys along one direction."""
    v, hessian, ones, quotients = reals("v H e y")
    length = sp.Symbol("l", positive=True)
    inner = sp.Symbol("c", real=True)
    a, b = sp.symbols("a b", integer=True, positive=True)
    mean, square = _mean("y"), over_all(quotients[INDEX] ** 2) / COUNT
    quotient = _noisy(mean**2, square)
    between = sp.Sum(hessian[INDEX, _OTHER] * v[_OTHER] * v[INDEX], (INDEX, 1, COUNT), (_OTHER, 1, COUNT))
    return Proof(
        (
            Step(
                sp.Sum(v[a] * v[b] * hessian[INDEX, _OTHER] * v[_OTHER] * v[INDEX], *between.limits),
                v[a] * v[b] * between,
                Rule.IDENTITY,
                "the entries of X H_i X for X = v v^T: those of c X, c = v^T H_i v",
            ),
            Step(
                sp.Sum(inner * hessian[INDEX, _OTHER] * v[_OTHER] * v[INDEX], *between.limits),
                inner * between,
                Rule.IDENTITY,
                "so q_ij = tr(c X H_j) = (v^T H_i v)(v^T H_j v), and likewise h_i = |v|^2 v^T H_i v",
                uses=(0,),
            ),
            cauchy_schwarz(
                quotients,
                ones,
                "with e_i = 1: the mean of the y_i^2 is at least the square of the mean, y_i = v^T H_i v",
            ),
            Step(
                2 * length * mean / quotient,
                _eta,
                Rule.POLYNOMIAL,
                "2 C >= eta D at X = v v^T, l = |v|^2; what it is divided by is at least (v^T H v)^2 > 0",
                conditions=(
                    sp.Gt(mean, 0),
                    sp.Ge(square, mean**2),
                    sp.Le(_p, 1),
                    sp.Ge(2 * length * mean - _eta * quotient, 0),
                ),
                uses=(1, 2),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=_eta,
        rhs=2 * length * mean / quotient,
    )


def _at_identity() -> Step:
    """Return what C is at X = I, entry by entry."""
    hessian, unit = reals("H e")
    return Step(
        over_all(hessian[INDEX] * unit[INDEX] + unit[INDEX] * hessian[INDEX]) / 2,
        over_all(hessian[INDEX] * unit[INDEX]),
        Rule.IDENTITY,
        "X = I, with entries e: tr(X C(X)) = tr H, and tr(X D(X)) = (1 - p) tr H^2 + p mean tr H_i^2",
    )


def _spread() -> Step:
    """Return that the mean of tr H_i^2 is at least tr H^2, entry by entry."""
    entries, ones = reals("y v")
    return cauchy_schwarz(
        entries, ones, "with v_i = 1: entry by entry the mean over i of H_i^2 is at least the square of the mean"
    )


def b3f() -> Proof:
    """What a stable step size obeys in traces."""
    diagonal, square, ones = reals("h f e")
    trace = sp.Symbol("t", positive=True)
    dimension = sp.Symbol("d", positive=True)
    whole, parts = over_all(square[INDEX] ** 2), sp.Symbol("s", nonnegative=True)
    quotient = _noisy(whole, parts)
    return Proof(
        (
            _at_identity(),
            _spread(),
            cauchy_schwarz(diagonal, ones, "with e_i = 1, h_i the diagonal of H: d tr H^2 is at least (tr H)^2"),
            Step(
                2 * trace / quotient,
                _eta,
                Rule.POLYNOMIAL,
                "2 C >= eta D at X = I; t = tr H > 0, and tr H^2 is the sum over all entries f of H of their squares",
                conditions=(
                    sp.Ge(parts, whole),
                    sp.Ge(dimension * whole, trace**2),
                    sp.Le(_p, 1),
                    sp.Ge(2 * trace - _eta * quotient, 0),
                ),
                uses=(0, 1, 2),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=_eta,
        rhs=2 * trace / quotient,
    )


def _fourth_moments() -> Step:
    sizes, ones = reals("s v")
    return cauchy_schwarz(
        sizes, ones, "with s_i = |phi_i|^2 = tr H_i, v_i = 1: mean tr H_i^2 = mean |phi_i|^4 is at least (tr H)^2"
    )


def b3g() -> Proof:
    """What the Frobenius norm of H obeys where H_i = phi_i phi_i^T."""
    share = sp.Symbol("p", positive=True)
    half = sp.Min(share, sp.Rational(1, 2))
    (curvatures,) = nonnegatives("h")
    (entries, sizes) = reals("f s")
    whole = over_all(curvatures[INDEX])
    size = sp.Sum(entries[INDEX] ** 2, (INDEX, 1, sp.Symbol("k", integer=True, positive=True)))
    trace, fourth = _mean("s"), over_all(sizes[INDEX] ** 2) / COUNT
    limit = 1 / (_eta**2 * half * (1 - half))
    return Proof(
        (
            _at_identity(),
            _fourth_moments(),
            Step(
                whole**2,
                over_all(curvatures[INDEX] ** 2),
                Rule.INDUCTION,
                "the square of the sum of the eigenvalues of H is at least the sum of their squares: (tr H)^2 >= ||H||_F^2",
                (2 * curvatures[COUNT + 1] * whole,),
                variable=COUNT,
                base=1,
            ),
            Step(
                limit,
                size,
                Rule.POLYNOMIAL,
                "2 C >= eta D at X = I; ||H||_F^2 is the sum of the squares of the entries f of H. For p <= 1/2 the limit is "
                "1/(eta^2 p (1 - p)), and for p >= 1/2 it is 4/eta^2",
                conditions=(
                    sp.Ge(2 * trace - _eta * _noisy(size, fourth, share), 0),
                    sp.Ge(fourth, trace**2),
                    sp.Ge(trace**2, size),
                    sp.Ge(trace, 0),
                    sp.Le(share, 1),
                ),
                uses=(0, 1, 2),
            ),
        ),
        "H_i = phi_i phi_i^T, any dimension, n and B < n",
        lhs=size,
        rhs=limit,
    )


def b3h() -> Proof:
    """What the trace of H obeys where H_i = phi_i phi_i^T."""
    dimension = sp.Symbol("d", positive=True)
    (sizes, curvatures, ones) = reals("s h v")
    trace, fourth = _mean("s"), over_all(sizes[INDEX] ** 2) / COUNT
    square = sp.Symbol("F", nonnegative=True)
    limit = 2 / (_eta * (_p + (1 - _p) / dimension))
    return Proof(
        (
            _at_identity(),
            _fourth_moments(),
            cauchy_schwarz(curvatures, ones, "with h_i the eigenvalues of H, v_i = 1: d tr H^2 is at least (tr H)^2"),
            Step(
                limit,
                trace,
                Rule.POLYNOMIAL,
                "2 C >= eta D at X = I, F = tr H^2 and d >= 1 the dimension",
                conditions=(
                    sp.Ge(2 * trace - _eta * _noisy(square, fourth), 0),
                    sp.Ge(fourth, trace**2),
                    sp.Ge(dimension * square, trace**2),
                    sp.Ge(trace, 0),
                    sp.Ge(dimension, 1),
                    sp.Le(_p, 1),
                ),
                uses=(0, 1, 2),
            ),
        ),
        "H_i = phi_i phi_i^T, any dimension, n and B",
        lhs=trace,
        rhs=limit,
    )


def _weighed(because: str) -> tuple[Step, Step]:
    """Return sum L w_a >= sum w_a h_a for weights w_a >= 0 and h_a <= L: steps 0 and 1 of a proof."""
    weight, curvature, most = sp.symbols("w h L", nonnegative=True)
    weights, curvatures = nonnegatives("w h")
    w, h = weights[INDEX], curvatures[INDEX]
    return (
        Step(
            most * weight,
            weight * curvature,
            Rule.POLYNOMIAL,
            "an eigenvector of H_i, h <= L its eigenvalue, and w >= 0 the quotient of X H_i X there",
            conditions=(sp.Le(curvature, most),),
        ),
        Step(over_all(most * w), over_all(w * h), Rule.SUM, because, term=0, conditions=(sp.Le(h, most),)),
    )


def _threshold() -> sp.Expr:
    """Return 2 c/d, which is the threshold at the X where it is least."""
    return 2 * _c / _d


def b3i() -> Proof:
    """The threshold is at least the bound by norms."""
    most, top = sp.symbols("L l", nonnegative=True)
    limit = 2 / ((1 - _p) * top + _p * most)
    return Proof(
        (
            *_weighed(
                "over an orthonormal basis of them: tr(X H_i X H_i) <= L tr(X H_i X), L the largest lambda_max(H_i), and "
                "likewise tr(X H X H) <= l tr(X H X), l = lambda_max(H)"
            ),
            Step(
                _threshold(),
                limit,
                Rule.POLYNOMIAL,
                "so d <= ((1 - p) l + p L) c for every X, also for the one at which 2 c/d is least, the threshold",
                conditions=(
                    sp.Ge(top * _c, _whole),
                    sp.Ge(most * _c, _parts),
                    sp.Gt(_d, 0),
                    sp.Gt((1 - _p) * top + _p * most, 0),
                    sp.Le(_p, 1),
                ),
                uses=(1,),
            ),
        ),
        "H_i >= 0, any dimension, n and B",
        lhs=_threshold(),
        rhs=limit,
    )


def b3j() -> Proof:
    """Where no vector's mean square grows in a step, it stays bounded."""
    entry, flipped = sp.symbols("u w", real=True)
    entries, turned = reals("u w")
    a, b = entries[INDEX], turned[INDEX]
    plain = {a: entry, b: flipped}
    along, second = sp.symbols("a k", positive=True)
    spread = sp.Symbol("K", positive=True)
    curved, squared = sp.symbols("g s", nonnegative=True)
    curves, squares = nonnegatives("g s")
    return Proof(
        (
            Step(
                ((a**2 + b**2) / 2).subs(plain),
                (a * b).subs(plain),
                Rule.NONNEGATIVE,
                "an entry u of X H_i, and w the one across the diagonal",
                ((entry - flipped) ** 2 / 2,),
            ),
            Step(
                over_all((a**2 + b**2) / 2),
                over_all(a * b),
                Rule.SUM,
                "over all entries: tr(X H_i^2 X) >= tr(X H_i X H_i), and likewise for H. So K >= d, K the form of "
                "(1 - p) H^2 + p mean H_i^2 at the columns of X, added up",
                term=0,
            ),
            Step(
                second * curved,
                along * squared,
                Rule.POLYNOMIAL,
                "a column of X, with quotients g of H and s of that matrix: 2 a/k is the step size, least of all 2 g/s",
                conditions=(sp.Ge(curved, (along / second) * squared),),
            ),
            Step(
                over_all(second * curves[INDEX]),
                over_all(along * squares[INDEX]),
                Rule.SUM,
                "over all columns: k c >= a K",
                term=2,
                conditions=(sp.Ge(curves[INDEX], (along / second) * squares[INDEX]),),
            ),
            Step(
                _threshold(),
                2 * along / second,
                Rule.POLYNOMIAL,
                "so the threshold, the least 2 c/d, is at least 2 c/K, and that 2 a/k",
                conditions=(sp.Ge(spread, _d), sp.Ge(second * _c, along * spread), sp.Gt(_d, 0)),
                uses=(1, 3),
            ),
        ),
        "H_i >= 0, any dimension, n and B",
        lhs=_threshold(),
        rhs=2 * along / second,
    )


def b3k() -> Proof:
    """The threshold is at least B/n of gradient descent's edge."""
    top = sp.Symbol("l", positive=True)
    limit = _batch / COUNT * (2 / top)
    return Proof(
        (
            *_weighed(
                "over an orthonormal basis of them: tr(X H_i X H_i) <= n l tr(X H_i X), for H_i <= n H has no eigenvalue "
                "above L = n l, l = lambda_max(H); and likewise tr(X H X H) <= l tr(X H X)"
            ),
            shares()[0],
            Step(
                _threshold(),
                limit,
                Rule.POLYNOMIAL,
                "so d <= ((1 - p) l + p n l) c = (n/B) l c for every X, also for the one at which 2 c/d is least",
                conditions=(
                    sp.Ge(top * _c, _whole),
                    sp.Ge(COUNT * top * _c, _parts),
                    sp.Gt(_d, 0),
                    sp.Le(_p, 1),
                    sp.Eq(_p + (1 - _p) / COUNT, 1 / _batch),
                ),
                uses=(1, 2),
            ),
        ),
        "H_i >= 0, any dimension, n and B",
        lhs=_threshold(),
        rhs=limit,
    )

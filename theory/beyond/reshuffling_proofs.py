"""Proofs of the claims on reshuffling (B9)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, TIME, nonnegatives, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)
_orders = sp.Symbol("N", positive=True)


def b9a() -> Proof:
    """The expected map of an epoch is self-adjoint where all batches are of one size."""
    y, turned, x, flipped = sp.symbols("y r x s", real=True)
    ys, rs, xs, ss = (part[INDEX] for part in reals("y r x s"))
    many = {y: ys, turned: rs, x: xs, flipped: ss}
    left, right = (y + turned) / (2 * _orders), (x + flipped) / (2 * _orders)
    same = (sp.Eq(y, flipped), sp.Eq(turned, x))
    because = (
        "two orders of the points, one the other backwards: y and r are tr(Y P X P^T) in them, x and s tr(X P Y P^T)"
    )
    return Proof(
        (
            Step(
                sp.Symbol(r"\operatorname{tr}(Y P X P^T)"),
                sp.Symbol(r"\operatorname{tr}(X P^T Y P)"),
                Rule.CITED,
                "the trace of a product does not change as its factors rotate",
            ),
            Step(
                sp.Symbol("P^T"),
                sp.Symbol("P"),
                Rule.CITED,
                "the transpose of a product is the product of the transposes backwards: as the A are symmetric, that of "
                "P = A_k .. A_1 is the product of the order backwards, whose batches are the same where B divides n",
            ),
            *(
                Step(before, after, Rule.POLYNOMIAL, because, conditions=same, uses=(0, 1))
                for before, after in ((left, right), (right, left))
            ),
            *(
                summed(before, after, many, "over all N pairs of such orders", term=term, conditions=same)
                for before, after, term in ((left, right, 2), (right, left, 3))
            ),
        ),
        "any symmetric H_i, dimension and n, B that divides n",
        lhs=over_all(left.subs(many)),
        rhs=over_all(right.subs(many)),
    )


def b9c() -> Proof:
    """For two points an epoch is at most two steps with batches drawn anew."""
    u, v = sp.symbols("u v", real=True)
    us, vs, tops, others = (part[INDEX] for part in reals("u v U V"))
    square, product = ((u + v) / 2) ** 2, u * v
    many = {u: us, v: vs}
    after, least = over_all(((tops + others) / 2) ** 2), over_all(square.subs(many, simultaneous=True))
    return Proof(
        (
            Step(
                square,
                product,
                Rule.NONNEGATIVE,
                "S_i(X) = A_i X A_i, self-adjoint; u and v the same entry of S_1(X) and S_2(X)",
                (((u - v) / 2) ** 2,),
            ),
            Step(
                least,
                over_all(product.subs(many, simultaneous=True)),
                Rule.SUM,
                "over all entries, tr X^2 = 1: tr(X T^2(X)) >= tr(S_1(X) S_2(X)) = tr(X M(X)), as T = (S_1 + S_2)/2 and "
                "M = (S_1 S_2 + S_2 S_1)/2; at the eigenvector X >= 0 of M this is the growth of an epoch. For B = 2, M = T, "
                "at X = w w^T, and u = v are the entries of A X",
                term=0,
            ),
            Step(
                after,
                least,
                Rule.CITED,
                "Rayleigh and Ritz: rho(T)^2 is the quotient of T^2 at T's own top eigenvector, with U and V there for u and "
                "v, and no less than that at X",
            ),
        ),
        "two points, any symmetric H_i and dimension",
        lhs=over_all(product.subs(many, simultaneous=True)),
        rhs=after,
    )


def b9d() -> Proof:
    """In one dimension the orders agree, and the geometric mean is at most the arithmetic one."""
    y, a = sp.symbols("y a", nonnegative=True)
    (factors,) = nonnegatives("a")
    new, mean = factors[COUNT + 1], over_all(factors[INDEX]) / COUNT
    gained = ((over_all(factors[INDEX]) + new) / (COUNT + 1)) ** (COUNT + 1) - new * mean**COUNT
    product = sp.Product(factors[INDEX], (INDEX, 1, COUNT))
    return Proof(
        (
            Step(
                y ** (TIME + 1) + TIME * a ** (TIME + 1),
                (TIME + 1) * y * a**TIME,
                Rule.INDUCTION,
                "two means a and y, for any t; with (t + 1) y - t a for the number that takes the mean of t numbers from a to "
                "y it says that y^(t + 1) is at least that number times a^t",
                ((TIME + 1) * a**TIME * (y - a) ** 2,),
                variable=TIME,
                base=0,
                factor=y,
            ),
            Step(
                mean**COUNT,
                product,
                Rule.INDUCTION,
                "the geometric mean for the arithmetic mean: one more number, step 0 for the means before and after it; the "
                "a_i are (1 - eta h_i)^2, which an epoch of d = B = 1 multiplies with each other in every order, and a step "
                "with batches drawn anew takes the mean of",
                (gained,),
                variable=COUNT,
                base=1,
                factor=new,
                conditions=(sp.Ge(gained, 0),),
                uses=(0,),
            ),
        ),
        "one dimension, batches of one, any n",
        lhs=product,
        rhs=mean**COUNT,
    )


def b9e() -> Proof:
    """On orthonormal features an epoch moves each coordinate once, by the size of the batch that its point is in."""
    batch, left = sp.symbols("B s", integer=True, positive=True)
    q, place = sp.Symbol("q", nonnegative=True, integer=True), sp.Symbol("k", integer=True)
    n = q * batch + left
    u, v, cross = sp.symbols("u v r", real=True)
    us, vs = (part[INDEX] for part in reals("u v"))
    full = sp.Sum((1 - _eta / batch) ** 2, (place, 1, q * batch))
    diagonal = (full + sp.Sum((1 - _eta / left) ** 2, (place, 1, left))) / n
    growth = sp.Max(diagonal, sp.Abs(cross))
    formula = 1 - 2 * _eta * (q + 1) / n + _eta**2 * (q / batch + 1 / left) / n
    return Proof(
        (
            Step(
                (u**2 + v**2) / 2,
                sp.Abs(u * v),
                Rule.POLYNOMIAL,
                "two places in the order, by which the coordinates of their points are multiplied with u and v",
            ),
            Step(
                over_all((us**2 + vs**2) / 2),
                over_all(sp.Abs(us * vs)),
                Rule.SUM,
                "over all pairs of places: the mean of u v over them, r, is no larger than that of u^2",
                term=0,
            ),
            Step(
                growth,
                diagonal,
                Rule.POLYNOMIAL,
                "M multiplies the diagonal of X with the mean of u^2 over the n places, q B of them in a batch of B and s in "
                "the last, and all else with r: its spectral radius is the larger",
            ),
            Step(
                diagonal,
                growth,
                Rule.POLYNOMIAL,
                "which is the first",
                conditions=(sp.Ge(diagonal, sp.Abs(cross)),),
                uses=(1,),
            ),
            Step(diagonal, formula, Rule.IDENTITY, "the mean of u^2, u = 1 - eta/B in q B places and 1 - eta/s in s"),
        ),
        "orthonormal bases of any dimension, any B",
        lhs=growth,
        rhs=formula,
    )


def b9f() -> Proof:
    """Where no batch expands, no order does."""
    h = sp.Symbol("h", nonnegative=True)
    part, u, v, after, moved = sp.symbols("w u v y z", real=True)
    parts, us, vs, ys, zs, norms = reals("w u v y z s")
    (curvatures,) = nonnegatives("h")
    size = sp.Symbol("S", positive=True)
    many = {part: parts[INDEX], u: us[INDEX], v: vs[INDEX], after: ys[INDEX], moved: zs[INDEX], h: curvatures[INDEX]}
    shrunk = (1 - _eta * h) ** 2 * part**2
    within = sp.Le(_eta * h, 2)
    bounds = (sp.Ge((size + moved) / 2, after), sp.Ge(size, moved))
    total = over_all(ys[INDEX])
    return Proof(
        (
            Step(
                part**2,
                shrunk,
                Rule.POLYNOMIAL,
                "an eigenvector of H_batch, h its eigenvalue, 0 <= eta h <= 2, and w the part of a vector along it",
                conditions=(within,),
            ),
            summed(
                part**2,
                shrunk,
                many,
                "over all of them: |w|^2 >= |A w|^2, and so for matrices, column by column: |A Z| <= |Z|, |Z A| <= |Z|",
                term=0,
                conditions=(within,),
            ),
            Step(
                norms[1],
                norms[TIME + 1],
                Rule.INDUCTION,
                "over t batches: the size of A X A does not grow, so |P X P^T|^2 <= |X|^2 for P = A_k .. A_1",
                (norms[TIME + 1] - norms[TIME + 2],),
                variable=TIME,
                base=0,
                conditions=(sp.Ge(norms[TIME + 1], norms[TIME + 2]),),
                uses=(1,),
            ),
            Step(
                (u**2 + v**2) / 2,
                u * v,
                Rule.NONNEGATIVE,
                "an entry of X and of P X P^T",
                ((u - v) ** 2 / 2,),
            ),
            summed(
                (u**2 + v**2) / 2,
                u * v,
                many,
                "over all entries: (S + z)/2 >= y, S = |X|^2, z = |P X P^T|^2 and y = tr(X P X P^T)",
                term=3,
            ),
            Step(size, after, Rule.POLYNOMIAL, "so S >= y for one order", conditions=bounds, uses=(2, 4)),
            Step(
                over_all(size),
                total,
                Rule.SUM,
                "over all N orders",
                term=5,
                conditions=tuple(c.subs(many) for c in bounds),
            ),
            Step(
                sp.Integer(1),
                total / (_orders * size),
                Rule.POLYNOMIAL,
                "at the eigenvector X of M to its spectral radius, which is the mean of y over S",
                conditions=(sp.Ge(_orders * size, total),),
                uses=(6,),
            ),
        ),
        "any symmetric H_i, dimension, n and B",
        lhs=total / (_orders * size),
        rhs=sp.Integer(1),
    )

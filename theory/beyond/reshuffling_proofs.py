"""Proofs of the claims on reshuffling (B9)."""

from __future__ import annotations

import sympy as sp

from theory.beyond.mean_square_proofs import contracts, matrix
from theory.lemmas import INDEX, over_all, reals
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)

_d, _h, _p = sp.symbols("d h p", nonnegative=True)


def b9a() -> Proof:
    """The expected map of an epoch is self-adjoint where all batches are of one size."""
    first, second, x, y = matrix("a b c"), matrix("e f g"), matrix("x_1 x_2 x_3"), matrix("y_1 y_2 y_3")
    return Proof(
        (
            Step(
                (y * second * first * x * first * second).trace(),
                (x * first * second * y * second * first).trace(),
                Rule.IDENTITY,
                "two batches in one order, and in the opposite order: d = 2",
            ),
            Step(
                sp.Symbol(r"\operatorname{tr}(Y P X P^T)"),
                sp.Symbol(r"\operatorname{tr}(X P^T Y P)"),
                Rule.CITED,
                "the trace of a product does not change as its factors rotate, and the transpose of P = A_k .. A_1 is the "
                "product in the opposite order; an order of the points backwards is as likely, and where B divides n its "
                "batches are those of the order",
            ),
        ),
        "any symmetric H_i, dimension and n, B that divides n",
    )


def b9c() -> Proof:
    """For two points an epoch is at most two steps with batches drawn anew."""
    u, v = sp.symbols("u v", real=True)
    (us, vs) = reals("u v")
    square, product = ((u + v) / 2) ** 2, u * v
    many = {u: us[INDEX], v: vs[INDEX]}
    return Proof(
        (
            Step(
                square,
                product,
                Rule.NONNEGATIVE,
                "S_i(X) = A_i X A_i, self-adjoint; u and v the same entry of S_1(Z) and S_2(Z)",
                (((u - v) / 2) ** 2,),
            ),
            Step(
                over_all(square.subs(many, simultaneous=True)),
                over_all(product.subs(many, simultaneous=True)),
                Rule.SUM,
                "over all entries: tr(Z T^2(Z)) >= tr(S_1(Z) S_2(Z)) = tr(Z M(Z)), as T = (S_1 + S_2)/2 and "
                "M = (S_1 S_2 + S_2 S_1)/2",
                term=0,
            ),
            Step(
                sp.Symbol(r"\rho(T)^2"),
                sp.Symbol(r"\rho(M)"),
                Rule.CITED,
                "Rayleigh and Ritz: M <= T^2, both self-adjoint, and M maps the cone of positive semidefinite matrices into "
                "itself, so its spectral radius is its top eigenvalue (Krein and Rutman); for B = 2, M = T",
            ),
        ),
        "two points, any symmetric H_i and dimension",
    )


def b9d() -> Proof:
    """In one dimension the orders agree, and the geometric mean is at most the arithmetic one."""
    a, b = sp.symbols("a b", nonnegative=True)
    return Proof(
        (
            Step(((a + b) / 2) ** 2, a * b, Rule.NONNEGATIVE, "two points", (((a - b) / 2) ** 2,)),
            Step(
                sp.Symbol(r"\big(\tfrac1n \sum_i (1 - \eta h_i)^2\big)^n"),
                sp.Symbol(r"\prod_i (1 - \eta h_i)^2"),
                Rule.CITED,
                "the inequality of the arithmetic and the geometric mean of the (1 - eta h_i)^2 >= 0",
            ),
        ),
        "one dimension, batches of one, any n",
    )


def b9e() -> Proof:
    """On orthonormal features an epoch moves each coordinate once, by the size of the batch that its point is in."""
    q = sp.Symbol("q", nonnegative=True, integer=True)
    batch, left = sp.symbols("B s", positive=True)
    n = q * batch + left
    u, v = sp.symbols("u v", real=True)
    return Proof(
        (
            Step(
                (q * batch / n) * (1 - _eta / batch) ** 2 + (left / n) * (1 - _eta / left) ** 2,
                1 - 2 * _eta * (q + 1) / n + _eta**2 * (q / batch + 1 / left) / n,
                Rule.IDENTITY,
                "a point is in one of q batches of B with probability q B/n, and in the last, of s, with probability s/n",
            ),
            Step(
                (u**2 + v**2) / 2,
                u * v,
                Rule.NONNEGATIVE,
                "the entry X_ij is multiplied by E[u v], u and v the factors of its two points, which are equally distributed: "
                "no more than the diagonal's E[u^2]",
                ((u - v) ** 2 / 2,),
            ),
        ),
        "orthonormal bases of any dimension, any B",
    )


def b9f() -> Proof:
    """Where no batch expands, no order does."""
    return Proof(
        (
            contracts(),
            Step(
                sp.Symbol(r"\|w\|"),
                sp.Symbol(r"\|A_k \cdots A_1 w\|"),
                Rule.CITED,
                "Rayleigh and Ritz: a product of contractions is one, so E ||w||^2 does not grow from any start, and neither "
                "does any second moment",
            ),
        ),
        "any symmetric H_i, dimension, n and B",
    )

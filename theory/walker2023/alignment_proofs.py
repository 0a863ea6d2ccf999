"""Proofs of the claims of Walker 2023 on stiffness."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step

_eps, _g, _b, _s = (sp.Symbol(name, positive=True) for name in ("epsilon", "G", "beta", "s"))
_c, _r, _x1, _x2, _x3 = sp.symbols("c r x1 x2 x3", real=True)
_product = sp.Symbol("p", real=True)


def w4a() -> Proof:
    """With a positive product the loss falls to first order, and a convex one falls only then."""
    return Proof(
        (
            Step(
                _eps * _g - _c,
                _eps * _g / 2,
                Rule.POLYNOMIAL,
                "if g_1.g_2 = G > 0, then for all small eps what differentiability leaves over, c, is eps G / 2 at most, and "
                "the loss falls by as much at least",
                conditions=(_c <= _eps * _g / 2,),
            ),
            Step(
                sp.Symbol("Delta_l2"),
                sp.Symbol("minus_eps_g1_g2"),
                Rule.CITED,
                "a convex function lies above its tangent: Delta l_2 >= -eps g_1.g_2, which is >= 0 if g_1.g_2 <= 0",
            ),
            Step(
                ((_r - _eps * _s) ** 2 - _r**2) / 2 + _eps * _r * _s,
                _eps**2 * _s**2 / 2,
                Rule.IDENTITY,
                "for a squared loss, s = x_2.g_1, residual r: what lies above the tangent",
            ),
        ),
        "any convex l_2 that is differentiable at w; checked on squared losses",
    )


def w4b() -> Proof:
    """The slope along the step grows at the rate beta at most."""
    return Proof(
        (
            Step(
                -_eps * _product + _b * _eps**2 * _g / 2,
                -_eps * _product + sp.Integral(_b * _s * _g, (_s, 0, _eps)),
                Rule.IDENTITY,
                "along the step the slope grows by beta s ||g_1||^2 at most: integrated, G = ||g_1||^2",
            ),
            Step(
                (_x1**2 + _x2**2) * (_r**2 + _x3**2),
                (_x1 * _r + _x2 * _x3) ** 2,
                Rule.NONNEGATIVE,
                "for a squared loss beta = ||x_2||^2: Cauchy and Schwarz",
                ((_x1 * _x3 - _x2 * _r) ** 2,),
            ),
        ),
        "any loss with a beta-Lipschitz gradient (the first step); squared losses, where the second names beta",
    )


def w4d() -> Proof:
    """A gradient that is not 0 leads down."""
    return Proof(
        (
            Step(
                _eps * _g - _eps**2 * _b * _g / 2,
                _eps * _g / 2,
                Rule.POLYNOMIAL,
                "G = ||g_1||^2 > 0: the loss falls by eps G / 2 at least once eps <= 1 / beta",
                conditions=(_eps <= 1 / _b,),
            ),
        ),
        "any loss with a beta-Lipschitz gradient",
    )


def w4f() -> Proof:
    """The chord between two directions is a Euclidean distance."""
    return Proof(
        (
            Step(
                (_x1 - _x2) ** 2 + (_r - _x3) ** 2,
                2 * (1 - (_x1 * _x2 + _r * _x3)),
                Rule.POLYNOMIAL,
                "for unit vectors ||u - v||^2 = 2 (1 - cos), written for two coordinates",
                conditions=(sp.Eq(_x1**2 + _r**2, 1), sp.Eq(_x2**2 + _x3**2, 1)),
            ),
            Step(
                2 * (1 - (_x1 * _x2 + _r * _x3)),
                (_x1 - _x2) ** 2 + (_r - _x3) ** 2,
                Rule.POLYNOMIAL,
                "and the other way",
                conditions=(sp.Eq(_x1**2 + _r**2, 1), sp.Eq(_x2**2 + _x3**2, 1)),
            ),
            Step(
                sp.Symbol("norm_u_minus_v_plus_norm_v_minus_w"),
                sp.Symbol("norm_u_minus_w"),
                Rule.CITED,
                "the triangle inequality of the Euclidean norm",
            ),
        ),
        "any dimension, gradients that are not 0",
    )

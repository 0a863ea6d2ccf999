"""Steps that no proof may hold: each kind false, or about nothing, by construction, and shown to be so at a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import sympy as sp

from tests.proofs_check.evaluation import Case
from theory.proof import Rule, Step

x, y = sp.symbols("x y", real=True)
p, q = sp.symbols("p q", nonnegative=True)
s, t = sp.symbols("s t", positive=True)
i, j = sp.symbols("i j", integer=True)
k, m = sp.symbols("k m", integer=True, positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
X, Y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
P = sp.IndexedBase("p", nonnegative=True)
f = sp.Function("f", real=True)

SQUARE = Step(x**2 + y**2, 2 * x * y, Rule.NONNEGATIVE, "a square", ((x - y) ** 2,))
CITED = Step(x, y, Rule.CITED, "a theorem")


def rational(r: Random) -> sp.Rational:
    return sp.Rational(r.randint(1, 40), r.randint(1, 9))


def identity(before: sp.Expr, after: sp.Expr, *conditions: sp.Basic) -> Step:
    return Step(sp.sympify(before), sp.sympify(after), Rule.IDENTITY, "", conditions=conditions)


def at_least(before: sp.Expr, after: sp.Expr, *conditions: sp.Basic) -> Step:
    return Step(sp.sympify(before), sp.sympify(after), Rule.POLYNOMIAL, "", conditions=conditions)


def certified(before: sp.Expr, *certificate: sp.Expr, conditions: tuple[sp.Basic, ...] = ()) -> Step:
    after = sp.expand(before - sp.Add(*certificate))
    return Step(sp.sympify(before), after, Rule.NONNEGATIVE, "", certificate, conditions=conditions)


def summed(before: sp.Expr, after: sp.Expr, over: tuple[sp.Expr, ...], *conditions: sp.Basic) -> Step:
    return Step(sp.Sum(before, over), sp.Sum(after, over), Rule.SUM, "", term=0, conditions=conditions)


def summed_twice(before: sp.Expr, after: sp.Expr) -> Step:
    limits = (i, 1, m), (j, 1, k)
    return Step(sp.Sum(before, *limits), sp.Sum(after, *limits), Rule.SUM, "", term=0)


def induction(
    before: sp.Expr, after: sp.Expr, *certificate: sp.Expr, base: int = 1, conditions: tuple[sp.Basic, ...] = ()
) -> Step:
    sides = sp.sympify(before), sp.sympify(after)
    return Step(*sides, Rule.INDUCTION, "", certificate, conditions=conditions, variable=m, base=base)


def scaled(before: sp.Expr, after: sp.Expr, factor: sp.Expr, *conditions: sp.Basic) -> Step:
    return Step(sp.sympify(before), sp.sympify(after), Rule.SCALED, "", term=0, factor=factor, conditions=conditions)


KINDS: dict[str, Callable[[Random], Case]] = {}


def kind(make: Callable[[Random], Case]) -> Callable[[Random], Case]:
    KINDS[make.__name__.replace("_", " ")] = make
    return make


# IDENTITY


@kind
def a_wrong_constant(r: Random) -> Case:
    c, off = rational(r), sp.Rational(r.choice([-1, 1]), r.choice([1, 100]))
    return Case(identity((x + c * y) ** 2, x**2 + (2 + off) * c * x * y + c**2 * y**2), at={x: 1, y: 1})


@kind
def a_lost_sign(r: Random) -> Case:
    c = rational(r)
    return Case(identity(sp.sqrt(c**2 * x**2), c * x), at={x: -rational(r)})


@kind
def a_lost_absolute_value(r: Random) -> Case:
    return Case(identity(sp.Abs(x * y), x * sp.Abs(y)), at={x: -rational(r), y: rational(r)})


@kind
def the_larger_for_one_of_two(r: Random) -> Case:
    c = 1 + rational(r)
    return Case(identity(sp.Max(x, y) + c * sp.Min(x, y), x + c * y), at={x: -rational(r), y: 10 * (c + 1) * 41})


@kind
def a_division_by_what_may_vanish(r: Random) -> Case:
    c = rational(r)
    return Case(identity((x**2 - c**2) / (x - c), x + c), at={x: c})


@kind
def a_division_by_two_that_may_agree(r: Random) -> Case:
    c = rational(r)
    return Case(identity(c / (x - y), -c / (y - x)), at={x: c, y: c})


@kind
def a_condition_that_does_not_keep_from_a_pole(r: Random) -> Case:
    c = rational(r)
    return Case(identity(x / (x - c), 1 + c / (x - c), sp.Ge(x, c)), at={x: c})


@kind
def a_pole_of_a_sine(r: Random) -> Case:
    c = rational(r)
    pairs = [
        (sp.tan(c * x) * sp.cot(c * x), sp.Integer(1)),
        (sp.cot(c * x) * sp.sin(c * x), sp.cos(c * x)),
        (sp.csc(c * x) * sp.sin(c * x), sp.Integer(1)),
    ]
    return Case(identity(*r.choice(pairs)), at={x: 0})


@kind
def a_pole_of_a_cosine(r: Random) -> Case:
    c, inside = rational(r), sp.pi * x
    pairs = [
        (sp.tan(inside) * sp.cos(inside), sp.sin(inside)),
        (c * sp.sec(inside) * sp.cos(inside), c),
        (sp.tan(inside) ** 2 + 1, sp.sec(inside) ** 2),
    ]
    return Case(identity(*r.choice(pairs)), at={x: sp.Rational(2 * r.randint(-5, 5) + 1, 2)})


@kind
def a_pole_of_gamma(r: Random) -> Case:
    return Case(identity(sp.gamma(x + 1), x * sp.gamma(x)), at={x: -r.randint(0, 9)})


@kind
def a_logarithm_of_what_may_be_negative(r: Random) -> Case:
    pairs = [(sp.log(x**2), 2 * sp.log(x)), (sp.log(x * s), sp.log(x) + sp.log(s)), (sp.exp(sp.log(x)) + s, x + s)]
    before, after = pairs[r.randint(0, 1)]
    return Case(identity(before, after), at={x: -rational(r), s: rational(r)})


@kind
def a_logarithm_of_0(r: Random) -> Case:
    return Case(identity(sp.log(p * s), sp.log(p) + sp.log(s)), at={p: 0, s: rational(r)})


@kind
def a_root_of_what_may_be_negative(r: Random) -> Case:
    c, root = rational(r), sp.sqrt(x + rational(r))
    return Case(identity((root + c) ** 2, root**2 + 2 * c * root + c**2), at={x: -100})


@kind
def a_cube_root_of_what_may_be_negative(r: Random) -> Case:
    return Case(identity(sp.cbrt(x**3) * y, x * y), at={x: -rational(r), y: 1})


@kind
def a_power_of_0_that_is_1(r: Random) -> Case:
    c = rational(r)
    return Case(identity(c * sp.Integer(0) ** n, 0), at={n: 0})


@kind
def a_step_function(r: Random) -> Case:
    c = rational(r) + sp.Rational(1, 97)
    pairs = [(sp.floor(x) + sp.floor(-x), 0), (sp.ceiling(x), sp.floor(x) + 1), (c * sp.sign(x) ** 2, c)]
    number = r.randrange(3)
    return Case(identity(*pairs[number]), at={x: [c, sp.Integer(3), sp.Integer(0)][number]})


@kind
def cases_that_leave_one_out(r: Random) -> Case:
    c = rational(r)
    return Case(identity(sp.Piecewise((x - c, x > c), (x - c, x < c)) + y, x + y - c), at={x: c, y: 1})


@kind
def a_rounded_number(r: Random) -> Case:
    return Case(identity(sp.Float(0.1) * x, x * sp.Rational(1, 10)), at={x: rational(r)})


@kind
def an_infinite_number(r: Random) -> Case:
    z, c = sp.Symbol("z", extended_real=True), rational(r)
    return Case(identity((z + c) ** 2, z**2 + 2 * c * z + c**2), at={z: -float("inf")})


@kind
def a_complex_number(r: Random) -> Case:
    z, c = sp.Symbol("z"), rational(r)
    return Case(certified(z**2 + c * p, z**2), at={z: 1j * float(c), p: 0})


@kind
def numbers_that_do_not_commute(r: Random) -> Case:
    u, v = sp.symbols("u v", commutative=False)
    c = rational(r)
    step = identity((u + c * v) ** 2, u**2 + 2 * c * u * v + c**2 * v**2)
    return Case(step, at={u: sp.Matrix([[0, 1], [0, 0]]), v: sp.Matrix([[0, 0], [1, 0]])})


@kind
def an_integral_over_a_pole(r: Random) -> Case:
    c = rational(r)
    pairs = [(sp.Integral(s * x**-2, (x, -c, c)), -2 * s / c), (sp.Integral(s / x, (x, -c, 2 * c)), s * sp.log(2))]
    return Case(identity(*r.choice(pairs)), at={s: 1})


@kind
def an_integral_up_to_a_pole(r: Random) -> Case:
    c = rational(r)
    return Case(identity(sp.Integral(c / s, (s, 0, t)), c * sp.log(t)), at={t: rational(r)})


@kind
def a_derivative_at_a_kink(r: Random) -> Case:
    c = rational(r)
    pairs = [
        (sp.Derivative(sp.Abs(x), x) * x * c, c * sp.Abs(x), 0),
        (sp.Derivative(sp.Max(x, c), x) * (x - c), sp.Max(x, c) - c, c),
        (sp.Derivative(sp.Min(c * x, 1), x) * x + y, sp.Min(c * x, 0) + y, 1 / c),
    ]
    before, after, here = r.choice(pairs)
    return Case(identity(before, after), at={x: here, y: 0})


@kind
def a_derivative_of_a_root_at_0(r: Random) -> Case:
    c = rational(r)
    return Case(identity(2 * c * sp.Derivative(sp.sqrt(p), p) * p, c * sp.sqrt(p)), at={p: 0})


@kind
def a_binomial_beyond_its_range(r: Random) -> Case:
    below = r.randint(0, 4)
    step = identity(sp.binomial(n, k) * sp.factorial(k), sp.factorial(n) / sp.factorial(n - k))
    return Case(step, at={n: below, k: below + r.randint(1, 4)})


@kind
def a_factorial_of_a_negative_number(r: Random) -> Case:
    c = r.randint(1, 5)
    return Case(identity(sp.factorial(i + 1), (i + 1) * sp.factorial(i)), at={i: -c})


@kind
def a_place_between_two_of_a_sequence(r: Random) -> Case:
    return Case(identity((X[n / 2] + 1) ** 2, X[n / 2] ** 2 + 2 * X[n / 2] + 1), at={n: 2 * r.randint(0, 9) + 1})


@kind
def a_sum_up_to_no_integer(r: Random) -> Case:
    return Case(identity(sp.Sum(i, (i, 1, s)), s * (s + 1) / 2), at={s: r.randint(1, 9) + sp.Rational(1, 2)})


@kind
def a_sum_backwards(r: Random) -> Case:
    c = r.randint(3, 9)
    step = certified(sp.Sum(P[i], (i, c, 1)) + x, sp.Sum(P[i], (i, c, 1)))
    return Case(step, at={x: 0, **{P[place]: rational(r) for place in range(1, c + 1)}})


@kind
def a_product_over_nothing(r: Random) -> Case:
    c = rational(r)
    return Case(identity(sp.Product(0, (i, 1, n)) * c + x, x), at={n: 0, x: rational(r)})


@kind
def what_runs_taken_out_of_its_sum(r: Random) -> Case:
    step = identity(i * sp.Sum(X[i], (i, 1, m)), sp.Sum(i * X[i], (i, 1, m)))
    return Case(step, at={m: 2, i: r.randint(3, 9), X[1]: 1, X[2]: 2})


@kind
def an_identity_under_conditions_that_clash(r: Random) -> Case:
    c = rational(r)
    return Case(identity(y / x - 1, (y - x) / x, sp.Gt(x, c + 1), sp.Lt(x, c)))


@kind
def an_identity_under_a_false_condition(r: Random) -> Case:
    c = rational(r)
    return Case(identity(c / x + y, (c + x * y) / x, sp.false))


@kind
def an_integer_between_two_neighbours(r: Random) -> Case:
    c = r.randint(-5, 5)
    return Case(identity((i + y) ** 2, i**2 + 2 * i * y + y**2, sp.Gt(i, c), sp.Lt(i, c + 1)))


@kind
def an_assumption_that_is_not_weighed(r: Random) -> Case:
    even, prime = sp.Symbol("z", even=True), sp.Symbol("z", prime=True)
    rough = sp.Symbol("z", irrational=True)
    z, fixed = r.choice([(even, 2 * r.randint(-4, 4) + 1), (prime, 4 + 2 * r.randint(0, 5)), (rough, rational(r))])
    return Case(identity((z + y) ** 2, z**2 + 2 * z * y + y**2, sp.Eq(z, fixed)))


@kind
def an_assumption_that_only_a_condition_speaks_of(r: Random) -> Case:
    c, odd = rational(r), sp.Symbol("z", odd=True)
    return Case(at_least(x, x + c, sp.Eq(odd, 2 * r.randint(-9, 9))))


@kind
def a_value_that_two_conditions_fix(r: Random) -> Case:
    c, z = rational(r), sp.Symbol("z", integer=True, positive=True)
    clash = r.choice(
        [
            (sp.Eq(f(x), c), sp.Eq(f(y), c + 1), sp.Eq(x, y)),
            (sp.Eq(X[i], c), sp.Eq(X[j], c + 1), sp.Eq(i, j)),
            (sp.Eq(s**z, c), sp.Eq(s, c + 1), sp.Eq(z, 1)),
            (sp.Lt(sp.Sum(P[j], (j, 1, 2)), P[1]),),
        ]
    )
    return Case(at_least(y, y + c, *clash))


# names


@kind
def a_symbol_and_a_sequence_of_one_name(r: Random) -> Case:
    c = rational(r)
    one = identity((x + c) ** 2, x**2 + 2 * c * x + c**2)
    over = summed((x + c) ** 2, X[i] ** 2 + 2 * c * X[i] + c**2, (i, 1, m))
    return Case(over, (one,), at={x: 0, m: 1, X[1]: rational(r)})


@kind
def two_symbols_of_one_name(r: Random) -> Case:
    c, signed = rational(r), sp.Symbol("x", positive=True)
    one = identity((x + c) ** 2, x**2 + 2 * c * x + c**2)
    over = summed((x + c) ** 2, signed**2 + 2 * c * signed + c**2, (i, 1, m))
    return Case(over, (one,), at={x: 0, m: 1, signed: rational(r)})


@kind
def two_sequences_of_one_name(r: Random) -> Case:
    c, signed = rational(r), sp.IndexedBase("x", positive=True)
    one = identity((x + c) ** 2, x**2 + 2 * c * x + c**2)
    over = summed((X[i] + c) ** 2, signed[i] ** 2 + 2 * c * signed[i] + c**2, (i, 1, m))
    return Case(over, (one,), at={m: 1, X[1]: 0, signed[1]: rational(r)})


@kind
def a_number_and_a_function_of_one_name(r: Random) -> Case:
    c, plain = rational(r), sp.Symbol("f", real=True)
    return Case(identity(c * f(x) + plain, (1 + c) * f(x)), at={f: lambda _: 1, x: 1, plain: 0})


# NONNEGATIVE


@kind
def a_negative_certificate(r: Random) -> Case:
    c = rational(r)
    return Case(certified(x, -c * (y**2)), at={x: 0, y: 1})


@kind
def a_certificate_of_either_sign(r: Random) -> Case:
    c = rational(r)
    return Case(certified(x + p, p - c * q), at={x: 0, p: 0, q: 1})


@kind
def a_certificate_that_leaves_something(r: Random) -> Case:
    c, off = rational(r), sp.Rational(1, r.choice([1, 1000]))
    step = replace(certified(x**2 + c**2 * y**2, (x - c * y) ** 2), after=(2 + off) * c * x * y)
    return Case(step, at={x: c, y: 1})


@kind
def a_certificate_with_a_pole(r: Random) -> Case:
    c = rational(r)
    step = Step(x + c * p / (x - y) ** 2, x, Rule.NONNEGATIVE, "", (c * p / (x - y) ** 2,))
    return Case(step, at={x: c, y: c, p: 1})


@kind
def a_certificate_under_conditions_that_clash(r: Random) -> Case:
    c = rational(r)
    return Case(certified(x + p, p, conditions=(sp.Ge(x, c), sp.Le(2 * x, c))))


@kind
def no_certificate(r: Random) -> Case:
    return Case(Step(x, x + rational(r), Rule.NONNEGATIVE, ""), at={x: 0})


# POLYNOMIAL


@kind
def a_sharpened_inequality(r: Random) -> Case:
    c, off = rational(r), sp.Rational(1, r.choice([1, 1000]))
    return Case(at_least(x**2 + c**2 * y**2, (2 + off) * c * x * y), at={x: c, y: 1})


@kind
def a_condition_left_out(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(c * x * y, c * y, sp.Ge(x, 1)), at={x: 2, y: -1})


@kind
def an_inequality_under_conditions_that_clash(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(-c, x**2, sp.Gt(x, c), sp.Lt(x**2, c**2), sp.Gt(x + c, 0)))


@kind
def an_inequality_about_no_integer(r: Random) -> Case:
    c = r.randint(1, 5)
    return Case(at_least(k, 10 * k, sp.Ge(2 * k, 2 * c + 1), sp.Le(3 * k, 3 * c + 2)))


@kind
def a_condition_without_meaning(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(x**2 + c, sp.Rational(1, 2) * c, sp.Or(sp.Ge(1 / x, 1), sp.Eq(x, 0))), at={x: 0})


# SUM


@kind
def a_sum_of_other_terms(r: Random) -> Case:
    c = rational(r) + 2
    over = summed(X[i] ** 2 + Y[i] ** 2, c * X[i] * Y[i], (i, 1, m))
    return Case(over, (SQUARE,), at={m: 2, X[1]: 1, Y[1]: 1, X[2]: 1, Y[2]: 1})


@kind
def sums_over_different_ranges(r: Random) -> Case:
    step = replace(summed(X[i] ** 2 + Y[i] ** 2, 0, (i, 1, m)), after=sp.Sum(2 * X[i] * Y[i], (i, 0, m)))
    return Case(step, (SQUARE,), at={m: 1, X[1]: 0, Y[1]: 0, X[0]: rational(r), Y[0]: 1})


@kind
def constants_beside_the_sums(r: Random) -> Case:
    step = summed(X[i] ** 2 + Y[i] ** 2, 2 * X[i] * Y[i], (i, 1, m))
    return Case(replace(step, after=step.after + rational(r)), (SQUARE,), at={m: 1, X[1]: 1, Y[1]: 1})


@kind
def another_index(r: Random) -> Case:
    step = summed(X[i] ** 2 + Y[i] ** 2, 2 * X[i] * Y[i + 1], (i, 1, m))
    return Case(step, (SQUARE,), at={m: 1, X[1]: 1, Y[1]: 0, Y[2]: 1 + rational(r)})


@kind
def a_sum_with_reversed_limits(r: Random) -> Case:
    c = r.randint(3, 6)
    step = summed(X[i] ** 2 + Y[i] ** 2, 2 * X[i] * Y[i], (i, c, 1))
    return Case(step, (SQUARE,), at={e[place]: 1 + (e == X) for e in (X, Y) for place in range(c)})


@kind
def a_sum_that_may_run_backwards(r: Random) -> Case:
    c = r.randint(3, 6)
    step = summed(X[i] ** 2 + Y[i] ** 2, 2 * X[i] * Y[i], (i, c, m))
    return Case(step, (SQUARE,), at={m: 1} | {e[place]: 1 + (e == X) for e in (X, Y) for place in range(c)})


@kind
def a_positive_index_that_runs_negative(r: Random) -> Case:
    c, positive = r.randint(1, 5), sp.Symbol("i", integer=True, positive=True)
    step = summed(positive, 1, (positive, -c, c))
    return Case(step, (at_least(positive, 1),), at={})


@kind
def a_nonnegative_index_that_runs_negative(r: Random) -> Case:
    c, index = r.randint(1, 5), sp.Symbol("i", integer=True, nonnegative=True)
    return Case(summed(2 * index, index, (index, -c, 0)), (certified(2 * index, index),), at={})


@kind
def a_condition_on_the_index(r: Random) -> Case:
    c = r.randint(2, 6)
    one = at_least(i, c, sp.Ge(i, c))
    return Case(summed(i, c, (i, 1, m), sp.Ge(i, c)), (one,))


@kind
def a_condition_of_the_term_forgotten(r: Random) -> Case:
    c = rational(r)
    one = at_least(x, c - x, sp.Ge(2 * x, c))
    return Case(summed(X[i], c - X[i], (i, 1, m)), (one,), at={m: 1, X[1]: 0})


@kind
def conditions_on_a_sequence_that_clash(r: Random) -> Case:
    c = rational(r)
    one = at_least(x, c - x, sp.Ge(2 * x, c))
    clash = sp.Ge(2 * X[i], c), sp.Lt(X[i], c / 4)
    return Case(summed(X[i], c - X[i], (i, 1, m), *clash), (one,))


@kind
def an_assumption_on_the_term_forgotten(r: Random) -> Case:
    c, signed = rational(r), sp.Symbol("x", positive=True)
    return Case(
        summed((1 + c) * X[i], X[i], (i, 1, m)), (certified((1 + c) * signed, c * signed),), at={m: 1, X[1]: -1}
    )


@kind
def a_sum_over_a_cited_step(r: Random) -> Case:
    return Case(summed(X[i], Y[i], (i, 1, m)), (CITED,), at={m: 1, X[1]: 0, Y[1]: rational(r)})


@kind
def a_sum_over_what_holds_later(r: Random) -> Case:
    c = r.randint(2, 6)
    return Case(summed(m, c, (m, 1, k)), (induction(m, c, sp.Integer(1), base=c),), at={k: 1})


@kind
def a_sum_over_a_sum_of_the_same_index(r: Random) -> Case:
    one = identity(x * sp.Sum(Y[i], (i, 1, m)), sp.Sum(x * Y[i], (i, 1, m)))
    over = summed(X[i] * sp.Sum(Y[i], (i, 1, m)), sp.Sum(X[i] * Y[i], (i, 1, m)), (i, 1, k))
    at = {m: 2, k: 2, X[1]: 1, X[2]: -1, Y[1]: rational(r), Y[2]: 0}
    return Case(over, (one,), at=at)


# INDUCTION


@kind
def a_condition_on_the_variable(r: Random) -> Case:
    c = r.randint(2, 6)
    step = induction((m - 1) * (m - 2 * c) + x**2, x**2, 2 * m - 2 * c, conditions=(sp.Ge(m, c),))
    return Case(step, at={m: c, x: 0})


@kind
def a_condition_that_holds_of_no_variable(r: Random) -> Case:
    c = rational(r)
    conditions = sp.Lt(m * s, c), sp.Ge(x * s, 1), sp.Ge(s, sp.Rational(1, 9))
    return Case(induction((m - 1) * (x - 9), -x, x - 9, conditions=conditions))


@kind
def conditions_on_a_sequence_that_grows_too_far(r: Random) -> Case:
    c = rational(r)
    grows = sp.Ge(X[m + 1], X[m] + 1), sp.Le(X[m], c), sp.Ge(X[1], c - 2)
    return Case(induction(X[m], c - 2, X[m + 1] - X[m], conditions=grows))


@kind
def a_base_that_does_not_hold(r: Random) -> Case:
    c = 1 + rational(r)
    return Case(induction(m, c, sp.Integer(1)), at={m: 1})


@kind
def an_induction_whose_certificate_leaves_something(r: Random) -> Case:
    c = rational(r)
    return Case(induction(c * m, c * m**2, c), at={m: 2})


@kind
def an_induction_with_a_negative_certificate(r: Random) -> Case:
    c = rational(r)
    return Case(induction(c, c * m, -c), at={m: 2})


@kind
def an_induction_with_a_negative_factor(r: Random) -> Case:
    c = rational(r)
    step = induction(c / 2 + c * sp.Integer(-1) ** m, 0, c, base=2)
    return Case(replace(step, factor=sp.Integer(-1)), at={m: 3})


@kind
def an_induction_that_starts_below_its_variable(r: Random) -> Case:
    c = r.randint(1, 5)
    return Case(induction(m * (m - 1) / 2, sp.Rational(c * (c + 1), 2), m, base=-c), at={m: 1})


@kind
def an_induction_on_a_sum_that_may_end_before_it_begins(r: Random) -> Case:
    c = r.randint(4, 6)
    step = induction(sp.Sum(X[i] ** 2, (i, c, m)) + X[2] ** 2, -p, X[m + 1] ** 2)
    return Case(step, at={m: 1, p: 0, X[2]: 0} | {X[place]: 1 for place in range(3, c + 1)})


@kind
def an_induction_by_what_holds_later(r: Random) -> Case:
    c = r.randint(2, 6)
    later = induction(m, c, sp.Integer(1), base=c)
    return Case(replace(induction(m * (m - 1) / 2, c * (m - 1), m - c), term=0), (later,), at={m: 2})


@kind
def an_induction_by_a_cited_step(r: Random) -> Case:
    step = replace(induction((m - 1) * x, (m - 1) * y, x - y), term=0)
    return Case(step, (CITED,), at={m: 2, x: 0, y: rational(r)})


# SCALED


@kind
def a_scale_below_0(r: Random) -> Case:
    c = rational(r)
    return Case(scaled(-c * (x**2 + y**2), -2 * c * x * y, -c), (SQUARE,), at={x: 1, y: -1})


@kind
def a_scale_of_either_sign(r: Random) -> Case:
    c = rational(r)
    return Case(
        scaled(c * t**2 * x, c * t * y * x, c * x), (at_least(t**2, t * y, sp.Ge(t, y)),), at={x: -1, t: c, y: 0}
    )


@kind
def a_scale_that_is_another(r: Random) -> Case:
    c, off = rational(r), sp.Rational(1, r.choice([1, 1000]))
    return Case(scaled(c * (x**2 + y**2), (2 + off) * c * x * y, c), (SQUARE,), at={x: 1, y: 1})


@kind
def a_scale_of_a_cited_step(r: Random) -> Case:
    c = rational(r)
    return Case(scaled(c * x, c * y, c), (CITED,), at={x: 0, y: 1})


@kind
def a_scale_without_the_conditions(r: Random) -> Case:
    c = rational(r)
    return Case(scaled(c * x, c * y, c), (at_least(x, y, sp.Ge(x, y + 1)),), at={x: 0, y: 1})


@kind
def a_scale_of_an_induction_for_one_number(r: Random) -> Case:
    c = rational(r)
    grows = induction(X[m], X[1], X[m + 1] - X[m], conditions=(sp.Ge(X[m + 1], X[m]),))
    step = scaled(c * X[m], c * X[1], c, *grows.conditions)
    return Case(step, (grows,), at={m: 2, X[1]: 2, X[2]: 0, X[3]: 1})


@kind
def a_scale_at_a_pole(r: Random) -> Case:
    c = rational(r)
    return Case(scaled((x**2 + y**2) / (t - c) ** 2, 2 * x * y / (t - c) ** 2, 1 / (t - c) ** 2), (SQUARE,), at={t: c})


# Conditions


@kind
def a_condition_that_implies_less(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(sp.Ge(x, c), sp.Ge(x, 0)), at={x: 0})


@kind
def a_condition_that_is_implied_the_other_way(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(sp.Ge(x, c), sp.Ge(x**2, c**2)), at={x: -c})


@kind
def a_condition_that_nothing_meets(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(sp.Ge(x, y), sp.And(sp.Gt(x, c), sp.Lt(x, 0)), sp.Gt(x, c), sp.Lt(x, 0)))


@kind
def a_condition_at_a_pole(r: Random) -> Case:
    c = rational(r)
    return Case(at_least(sp.Ge(1 / (x - c) ** 2, 0), sp.Ge(x, y)), at={x: c})


@kind
def conditions_of_which_one_is_stricter(r: Random) -> Case:
    c = rational(r)
    return Case(identity(sp.Ge(x, c), sp.Gt(x, c)), at={x: c})


@kind
def a_condition_on_a_sum_that_is_less_than_one_on_its_terms(r: Random) -> Case:
    c = rational(r)
    step = at_least(sp.Ge(X[1], c), sp.Ge(sp.Sum(X[i], (i, 1, m)), c * m))
    return Case(step, at={m: 2, X[1]: 0, X[2]: 2 * c})


@kind
def an_entry_that_is_two(r: Random) -> Case:
    c = rational(r)
    one = at_least(x**2 + c**2, 2 * c * x)
    whole = sp.IndexedBase("x", real=True)
    over = ((i, 1, 1), (j, 1, 2))
    before, after = sp.Sum(whole[i] ** 2 + c**2, *over), sp.Sum(2 * c * whole[j], *over)
    return Case(Step(before, after, Rule.SUM, "", term=0), (one,), at={X[1]: c, X[2]: 100 * c})


def example(of: str, number: int) -> Case:
    """Return the example of a kind with a number; the same every time."""
    return KINDS[of](Random(f"{of} {number}"))

import re
from dataclasses import replace
from functools import cache

import pytest
import sympy as sp

from proofs_check.notation import latex
from proofs_check.polynomial import UndecidedError, decide, is_condition
from proofs_check.symbolic import Replay, StepError, replay, replay_step, report
from theory.lemmas import bernoulli, cauchy_schwarz, triangle_inequality
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

a, b = sp.symbols("a b", real=True)
p, q = sp.symbols("p q", nonnegative=True)
i, j = sp.symbols("i j", integer=True)
k = sp.Symbol("k", integer=True, positive=True)
A, B = sp.IndexedBase("a", real=True), sp.IndexedBase("b", real=True)

SQUARE = Step(a**2 + b**2, 2 * a * b, Rule.NONNEGATIVE, "a square", ((a - b) ** 2,))
BINOMIAL = Step((a + b) ** 2, a**2 + 2 * a * b + b**2, Rule.IDENTITY, "expanded")
CITED = Step(a, b, Rule.CITED, "a theorem")
OVER_ALL = Step(
    1 + sp.Sum(A[i] ** 2 + B[i] ** 2, (i, 1, k)), 1 + sp.Sum(2 * A[i] * B[i], (i, 1, k)), Rule.SUM, "over i", term=0
)

PROOFS = {(claim.id, "proof"): claim.proof for claim in CLAIMS.values() if claim.proof is not None}
PROOFS |= {(claim.id, "small"): claim.small for claim in CLAIMS.values() if claim.small is not None}
each_proof = pytest.mark.parametrize("key", PROOFS, ids="-".join)


@cache
def steps_of(key: tuple[str, str]) -> tuple[Step, ...]:
    """Return the steps of a proof, which is built by the first test that asks, and not when tests are collected."""
    return PROOFS[key]().steps


def passes(step: Step, earlier: tuple[Step, ...], why: str) -> bool:
    """Return whether a broken step is not refused for the reason that it should be."""
    try:
        replay_step(step, earlier)
    except StepError as error:
        return re.search(why, str(error)) is None
    return True


@each_proof
def test_steps_give_their_reason(key: tuple[str, str]) -> None:
    assert all(step.because for step in steps_of(key))
    assert PROOFS[key]().covers


@each_proof
def test_no_constant_of_a_proof_is_free(key: tuple[str, str]) -> None:
    steps, found = steps_of(key), []
    for number, step in enumerate(steps):
        if step.rule in (Rule.IDENTITY, Rule.NONNEGATIVE) and step.after != 0:  # 0 has no per cent
            for factor in (sp.Rational(101, 100), sp.Rational(99, 100)):
                other = sp.true if is_condition(step.after) else factor * step.after
                if passes(replace(step, after=other), steps[:number], r"^(identity|nonnegative): "):
                    found.append((number, factor))
    assert found == []


@each_proof
def test_no_inequality_of_a_proof_can_be_sharpened(key: tuple[str, str]) -> None:
    steps, found = steps_of(key), []
    for number, step in enumerate(steps):
        if step.rule in (Rule.POLYNOMIAL, Rule.INDUCTION):
            # A condition that implies another is weakened to one that always holds.
            sharper = sp.true if is_condition(step.after) else step.after + sp.Rational(1, 1000)
            if passes(replace(step, after=sharper), steps[:number], r"^(polynomial|induction): "):
                found.append(number)
    assert found == []


@each_proof
def test_no_term_of_a_certificate_is_spare(key: tuple[str, str]) -> None:
    steps, found = steps_of(key), []
    for number, step in enumerate(steps):
        for dropped in range(len(step.certificate)):
            rest = (*step.certificate[:dropped], *step.certificate[dropped + 1 :])
            why = r"(the certificate leaves|at \w+ = \d+ the difference is) "
            if passes(replace(step, certificate=rest), steps[:number], why):
                found.append((number, dropped))
    assert found == []


def test_what_only_cites_decides_nothing() -> None:
    assert replay(Proof((CITED, CITED), "nothing")) == Replay(0, ("a theorem", "a theorem"))


@pytest.mark.parametrize("step", [SQUARE, BINOMIAL, CITED])
def test_sound_steps_replay(step: Step) -> None:
    replay_step(step)
    assert replay(Proof((step,), "one step")).decided == (step.rule is not Rule.CITED)


def test_a_sound_sum_replays() -> None:
    assert replay(Proof((SQUARE, OVER_ALL), "any k")) == Replay(2, ())


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (replace(BINOMIAL, after=a**2 + 2 * a * b + 2 * b**2), "identity: .* differ by "),
        (replace(BINOMIAL, after=a**2 - 2 * a * b + b**2), "identity: .* differ by "),
        (Step(sp.sqrt(a**2), a, Rule.IDENTITY, "the sign is lost"), "identity: .* differ by "),
        (Step(a, b, Rule.IDENTITY, "unrelated"), "identity: .* differ by "),
        (replace(SQUARE, after=sp.Rational(101, 50) * a * b), "nonnegative: the certificate leaves "),
        (replace(SQUARE, after=2.02 * a * b), "nonnegative: 2.02.*, a Float, which the replay does not know"),
        (replace(SQUARE, certificate=()), "nonnegative: the certificate leaves "),
        (replace(SQUARE, certificate=((a + b) ** 2,)), "nonnegative: the certificate leaves "),
        (
            Step(a + b, b, Rule.NONNEGATIVE, "the sign of a is unknown", (a,)),
            "nonnegative: nothing shows that a is not negative",
        ),
        (
            Step(b - a**2, b, Rule.NONNEGATIVE, "a negative certificate", (-(a**2),)),
            r"nonnegative: nothing shows that -a\*\*2 is not negative",
        ),
        (
            Step(2 * p, p + q, Rule.NONNEGATIVE, "the sum of these is not of one sign", (p - q,)),
            "nonnegative: nothing shows that p - q is not negative",
        ),
        (
            Step(a, a, Rule.NONNEGATIVE, "an equality needs no certificate, but then it is an identity"),
            "nonnegative: both sides are a, which decides nothing",
        ),
    ],
)
def test_broken_steps_are_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^{message}"):
        replay_step(step)


def sums(before: sp.Expr, after: sp.Expr, term: int | None = 0) -> Step:
    return Step(before, after, Rule.SUM, "over i", term=term)


LEFT, RIGHT = A[i] ** 2 + B[i] ** 2, 2 * A[i] * B[i]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (replace(OVER_ALL, term=None), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=2), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=-1), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=1), "sum: step 1 is cited, which shows nothing of the terms"),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(RIGHT, (i, 2, k))),
            "sum: the two sums run over different terms, or differ in what stands beside them",
        ),
        (
            sums(1 + sp.Sum(LEFT, (i, 1, k)), 2 + sp.Sum(RIGHT, (i, 1, k))),
            "sum: the two sums run over different terms, or differ in what stands beside them",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(2 * RIGHT, (i, 1, k))),
            "sum: the term 4*a[i]*b[i] is not that of step 0, 2*a*b",
        ),
        (
            sums(sp.Sum(A[i] ** 2 - B[i] ** 2, (i, 1, k)), sp.Sum(RIGHT, (i, 1, k))),
            "sum: the term a[i]**2 - b[i]**2 is not that of step 0, a**2 + b**2",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(2 * A[i] * B[k - i], (i, 1, k))),
            "sum: b[-i + k] does not belong to term i",
        ),
        (sums(p, sp.Sum(RIGHT, (i, 1, k))), "a step by the rule sum needs one sum on either side, got p"),
        (
            sums(2 * sp.Sum(LEFT, (i, 1, k)), 2 * sp.Sum(RIGHT, (i, 1, k))),
            "a step by the rule sum needs one sum on either side, got 2*Sum(a[i]**2 + b[i]**2, (i, 1, k))",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)) + sp.Sum(LEFT.subs(i, j), (j, 1, k)), sp.Sum(RIGHT, (i, 1, k))),
            "a step by the rule sum needs one sum on either side, got ",
        ),
    ],
)
def test_broken_sums_are_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^{re.escape(message)}"):
        replay_step(step, (SQUARE, CITED))


def test_a_sum_over_a_broken_step_is_broken() -> None:
    with pytest.raises(StepError, match=r"^nonnegative: the certificate leaves "):
        replay_step(OVER_ALL, (replace(SQUARE, certificate=(b**2,)),))


def test_the_broken_step_of_a_proof_is_numbered() -> None:
    broken = replace(BINOMIAL, after=a**2)
    with pytest.raises(StepError, match=r"^step 1: identity: "):
        replay(Proof((SQUARE, broken), "nothing"))


def test_a_report_never_raises_and_says_what_is_wrong() -> None:
    broken = replace(BINOMIAL, after=a**2)
    odd = replace(SQUARE, before=sp.Symbol("x", commutative=False))
    sound, wrong, cited, strange = report(Proof((SQUARE, broken, CITED, odd), "nothing"))
    assert (sound.decided, sound.cited, sound.why) == (True, False, "")
    assert sound.before == "a^{2} + b^{2}"
    assert wrong.why.startswith("identity: ")
    assert not wrong.decided
    assert (cited.decided, cited.cited, cited.why) == (False, True, "")
    assert strange.why
    assert not strange.decided
    assert [step.relation for step in (sound, wrong, cited)] == [">=", "=", ""]


def test_one_condition_implies_another_only_where_z3_decides_it() -> None:
    less, more = sp.Gt(a, 0), sp.Gt(a, b)
    given = (sp.Ge(b, 0),)
    replay_step(Step(less, more, Rule.POLYNOMIAL, "a > b >= 0", conditions=given))
    assert report(Proof((Step(less, more, Rule.POLYNOMIAL, "as b >= 0", conditions=given),), "all"))[0].relation == "if"
    for before, after, conditions, why in (
        (less, more, (), "may hold where"),
        (more, less, given, "may hold where"),
        (less, sp.And(more, sp.Lt(a, b)), given, "the conditions contradict each other"),
        (less, more, (sp.Gt(b, 0), sp.Lt(b, 0)), "the conditions contradict each other"),
        (a, more, given, "one side is a condition, and the other a number"),
    ):
        with pytest.raises(StepError, match=f"^polynomial: .*{why}"):
            replay_step(Step(before, after, Rule.POLYNOMIAL, "no", conditions=conditions))


def test_conditions_say_the_same_only_where_z3_decides_it() -> None:
    same = Step(sp.Le(p * a, p * b), sp.Or(sp.Le(a, b), sp.Eq(p, 0)), Rule.IDENTITY, "p >= 0")
    replay_step(same)
    assert report(Proof((same,), "all"))[0].relation == "iff"
    for before, after, why in (
        (sp.Le(p * a, p * b), sp.Le(a, b), "may hold where"),
        (sp.And(sp.Gt(a, 1), sp.Lt(a, 0)), sp.And(sp.Gt(b, 1), sp.Lt(b, 0)), "the conditions contradict each other"),
    ):
        with pytest.raises(StepError, match=f"^identity: .*{why}"):
            replay_step(Step(before, after, Rule.IDENTITY, "no"))


def test_an_induction_takes_the_last_term_out_of_a_sum_of_sums() -> None:
    inner = sp.Sum(p * B[j] ** 2, (j, 1, 3))
    double = sp.Sum(inner, (i, 1, k))
    assert len(double.limits) == 2
    step = Step(double, k * inner, Rule.INDUCTION, "k equal terms", variable=k, base=1)
    replay_step(step)
    n = sp.Symbol("n", integer=True, nonnegative=True)
    rows = sp.Sum(A[j] ** 2, (j, 1, i), (i, 1, n))
    row = (sp.Sum(A[j] ** 2, (j, 1, n + 1)),)
    grows = Step(rows, sp.Integer(0), Rule.INDUCTION, "one row more", row, variable=n, base=0)
    replay_step(grows)
    for false in (replace(step, after=(k + 1) * inner), replace(grows, certificate=(sp.Sum(A[j] ** 2, (j, 1, n)),))):
        with pytest.raises(StepError, match=r"^induction: "):
            replay_step(false)


def test_a_report_says_what_sums_and_inductions_claim() -> None:
    one = Step(sp.Abs(a) ** 2, a**2, Rule.IDENTITY, "one term")
    many = Step(sp.Sum(sp.Abs(A[i]) ** 2, (i, 1, k)), sp.Sum(A[i] ** 2, (i, 1, k)), Rule.SUM, "all terms", term=0)
    gauss = Step(sp.Sum(i, (i, 1, k)), k * (k + 1) / 2, Rule.INDUCTION, "Gauss", variable=k, base=1)
    schwarz = cauchy_schwarz(A, B, "an inequality")
    assert [step.relation for step in report(Proof((one, many, gauss, schwarz), "all"))] == ["=", "=", "=", ">="]


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (1 - a * b, "1 - a b"),
        (sp.Abs(1 - a * b), r"\left|{a b - 1}\right|"),
        (a * (b**2 - a**2), r"a \left(b^{2} - a^{2}\right)"),
        (1 / (1 + b**2) - sp.Rational(1, 2), r"\frac{1}{b^{2} + 1} - \frac{1}{2}"),
        (-a - b, "- a - b"),
    ],
)
def test_terms_stand_in_the_order_in_which_one_writes_them(expression: sp.Expr, written: str) -> None:
    assert latex(expression) == written


m = sp.Symbol("m", integer=True, positive=True)
x, y = sp.symbols("x y", real=True)
s = sp.Symbol("s", positive=True)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(x / x**2, 1 / x, Rule.IDENTITY, "x may be 0"), "both sides are 1/x, which decides nothing"),
        (Step(a / (x - y), -a / (y - x), Rule.IDENTITY, "x may be y"), "a division by x - y, which may be 0"),
        (Step(1 / (1 + x), 1 - x / (1 + x), Rule.IDENTITY, "x may be -1"), "a division by x + 1, which may be 0"),
        (
            Step(sp.sqrt(x) ** 4, x**2, Rule.IDENTITY, "the root is gone"),
            "both sides are x**2, which decides nothing",
        ),
        (
            Step(sp.sqrt(x - 1) + a, a + sp.sqrt(x - 1) * 1.0, Rule.IDENTITY, "x"),
            "the root of x - 1, which may be negative",
        ),
        (Step(sp.log(x**2 * a), b, Rule.IDENTITY, "x"), "the logarithm of a*x**2, which may not be positive"),
        (Step(sp.oo * s, a, Rule.IDENTITY, "infinite"), "oo is not finite"),
    ],
)
def test_what_has_no_meaning_is_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^identity: {re.escape(message)}$"):
        replay_step(step)


def test_a_denominator_may_rest_on_a_condition() -> None:
    step = Step(a / (x - y), -a / (y - x), Rule.IDENTITY, "x > y", conditions=(sp.Gt(x, y),))
    replay_step(step)


def test_a_sum_needs_what_its_term_assumes() -> None:
    term = Step(p, p / 2, Rule.NONNEGATIVE, "p >= 0", (p / 2,))
    unsigned, signed = sp.IndexedBase("p", real=True), sp.IndexedBase("p", nonnegative=True)
    for base in (unsigned, signed):
        over = Step(sp.Sum(base[i], (i, 1, k)), sp.Sum(base[i] / 2, (i, 1, k)), Rule.SUM, "over i", term=0)
        if base is signed:
            replay_step(over, (term,))
        else:
            with pytest.raises(
                StepError, match=r"^sum: the earlier step assumes that p is nonnegative, which p\[i\] may not"
            ):
                replay_step(over, (term,))


def test_a_sum_needs_the_conditions_of_its_term() -> None:
    term = Step(a, 1 - a, Rule.POLYNOMIAL, "a >= 1/2", conditions=(sp.Ge(a, sp.Rational(1, 2)),))
    over = Step(sp.Sum(A[i], (i, 1, k)), sp.Sum(1 - A[i], (i, 1, k)), Rule.SUM, "over i", term=0)
    with pytest.raises(StepError, match=r"^sum: step 0 needs a >= 1/2, which the sum does not assume of every term"):
        replay_step(over, (term,))
    replay_step(replace(over, conditions=(sp.Ge(A[i], sp.Rational(1, 2)),)), (term,))


@pytest.mark.parametrize(
    ("before", "after", "conditions"),
    [
        (x**2 + y**2, 2 * x * y, ()),
        (sp.Abs(x) + sp.Abs(y), sp.Abs(x + y), ()),
        (sp.Max(x, y), sp.Min(x, y), ()),
        (x / y, sp.Integer(1), (sp.Ge(x, y), sp.Gt(y, 0))),
        (sp.sqrt(x**2 + y**2), x, ()),
        (1 / sp.sqrt(s), (3 - s) / 2, ()),
        (x, sp.Integer(0), (sp.Or(sp.Ge(x, 1), sp.Eq(x, 0)), sp.Ne(x, 1))),
        (x, sp.Integer(0), (sp.Not(sp.Lt(x, 0)),)),
        (m, sp.Integer(1), ()),
        (sp.Sum(A[i], (i, 1, k)) ** 2, sp.Integer(0), ()),
        (sp.Function("f", real=True)(x) ** 2 + 1, sp.Integer(1), ()),
    ],
)
def test_true_inequalities_are_decided(before: sp.Expr, after: sp.Expr, conditions: tuple[sp.Basic, ...]) -> None:
    decide(before, after, conditions)
    replay_step(Step(before, after, Rule.POLYNOMIAL, "z3", conditions=conditions))


@pytest.mark.parametrize(
    ("before", "after", "conditions", "message"),
    [
        (x**2 + y**2, sp.Rational(201, 100) * x * y, (), "may be below"),
        (x / y, sp.Integer(1), (sp.Ge(x, y),), "a division by y, which may be 0"),
        (sp.sqrt(x), sp.Integer(0), (), "the root of x, which may be negative"),
        (x, sp.Integer(0), (sp.Gt(x, 1), sp.Lt(x, 0)), "the conditions contradict each other"),
        (sp.Symbol("z"), sp.Integer(0), (), "z is not known to be real"),
        (sp.exp(x), sp.Integer(0), (), "is not known to be real, or is no polynomial"),
        (x ** sp.Rational(1, 3), sp.Integer(0), (sp.Ge(x, 0),), "is neither an integer power nor a square root"),
        (x, sp.Integer(0), (sp.Symbol("x"),), "x is no relation between real numbers"),
    ],
)
def test_what_is_false_or_no_polynomial_is_not(
    before: sp.Expr, after: sp.Expr, conditions: tuple[sp.Basic, ...], message: str
) -> None:
    with pytest.raises(UndecidedError, match=message):
        decide(before, after, conditions)


def test_unknown_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs_check.polynomial.EFFORT", 1)
    hard = Step(x**4 * y**2 + x**2 * y**4 + 1, 3 * x**2 * y**2, Rule.POLYNOMIAL, "Motzkin")
    with pytest.raises(StepError, match=r"^polynomial: .* for all that z3 can tell \(unknown\)$"):
        replay_step(hard)


TRIANGLE = triangle_inequality(A, "for any number", place=0)


def test_inductions_replay() -> None:
    assert replay(Proof((*TRIANGLE, cauchy_schwarz(A, B, "c"), bernoulli(s, "b")), "any number")).decided == 4
    index = sp.Symbol("i", integer=True)
    gauss = Step(sp.Sum(index, (index, 1, m)), sp.S.Half * m * (m + 1), Rule.INDUCTION, "Gauss", variable=m, base=1)
    halves = Step(sp.Product(A[i], (i, 1, m)) * 2**m, sp.Product(2 * A[i], (i, 1, m)), Rule.IDENTITY, "factors")
    replay_step(gauss)
    replay_step(replace(halves, rule=Rule.INDUCTION, variable=m, base=1, factor=2 * A[m + 1]))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (replace(bernoulli(s, ""), variable=None), "the step must name the integer that it runs over"),
        (replace(bernoulli(s, ""), base=-1), "t is assumed to be more than an integer of at least -1"),
        (replace(bernoulli(s, ""), variable=A[1]), "the step must name the integer that it runs over"),
        (replace(bernoulli(s, ""), base=sp.S.Half), "the step must name the integer that it runs over"),
        (replace(bernoulli(s, ""), certificate=()), "from t to t \\+ 1 the certificate leaves "),
        (replace(bernoulli(s, ""), factor=sp.S.One), "from t to t \\+ 1 the certificate leaves "),
        (replace(bernoulli(s, ""), after=2 + s), "at t = 0 the difference is "),
        (replace(bernoulli(s, ""), variable=sp.Symbol("n", integer=True)), "neither side depends on n"),
        (Step(A[m], B[m], Rule.INDUCTION, "", variable=m, base=1), "at m = 1 the difference is a\\[1\\] - b\\[1\\]"),
        (replace(TRIANGLE[1], certificate=(A[m + 1], *TRIANGLE[1].certificate)), "the certificate leaves -9/2 at "),
        (
            Step(sp.Sum(A[i], (i, 1, m)), sp.Integer(0), Rule.INDUCTION, "", (A[m + 1],), variable=m, base=1),
            "at m = 1 the difference is a\\[1\\]",
        ),
    ],
)
def test_broken_inductions_are_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^induction: .*{message}"):
        replay_step(step, TRIANGLE[:1])


def test_an_induction_whose_sign_nothing_shows_is_caught() -> None:
    (base,) = (sp.IndexedBase("q", nonnegative=True),)
    total = sp.Sum(base[i] + A[i], (i, 1, m)) - sp.Sum(base[i], (i, 1, m))
    step = Step(total, A[1], Rule.INDUCTION, "the sign of a is unknown", (A[m + 1],), variable=m, base=1)
    with pytest.raises(StepError, match=r"^induction: nothing shows that a\[m \+ 1\] is not negative"):
        replay_step(step)


def test_a_sum_that_may_end_before_it_begins_is_caught() -> None:
    whole = A[2] ** 2 + sp.Sum(A[i] ** 2, (i, 3, m))
    step = Step(whole, -p, Rule.INDUCTION, "", (A[m + 1] ** 2,), variable=m, base=1)
    with pytest.raises(StepError, match=r"^induction: .* may end before it begins$"):
        replay_step(step)


def test_a_step_of_an_induction_may_not_be_cited() -> None:
    with pytest.raises(StepError, match=r"^induction: step 0 is cited, which shows nothing of the terms$"):
        replay_step(TRIANGLE[1], (CITED,))


def test_a_wrong_identity_is_refuted_at_a_point() -> None:
    step = Step(a / (x - y), -a / (y - x) + p, Rule.IDENTITY, "p too many", conditions=(sp.Gt(x, y),))
    with pytest.raises(StepError, match=r"differ by -(\d+)(/\d+)? at a = .*, p = \1\2?, x = .*, y = "):
        replay_step(step)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (sp.floor(x), "floor(x), a floor, which the replay does not know"),
        (sp.Sum(x, (sp.Idx("i", (1, 3)), 1, 3)), "Sum(x, (i, 1, 3)) runs over i, which is no symbol"),
        (sp.Integral(x, (a, p)), "Integral(x, (a, p)) does not say from where to where a runs"),
        (sp.Sum(A[i], (i, 2, 1)), "Sum(a[i], (i, 2, 1)) has no terms"),
        (sp.Sum(A[i], (i, 3, 1)), "Sum(a[i], (i, 3, 1)) may end before it begins"),
        (sp.Sum(A[i], (i, 1, i)), "i runs, and is a number of its own beside that"),
        (sp.Sum(sp.Sum(A[i], (i, 1, 2)), (i, 1, 3)), "i runs within a range over i"),
        (sp.Integral(i, (i, 0, 1)), "i runs over reals, which it is not assumed to be"),
        (sp.Sum(x, (x, 0, 1)), "x runs over integers, which it is not assumed to be"),
        (sp.Integral(s, (s, -1, 1)), "s is assumed to be positive, and may run where it is not"),
        (sp.Derivative(m**2, m), "Derivative(m**2, m) is no derivative by a real number"),
        (sp.Symbol("c", odd=True), "c is assumed to be odd, which is not weighed here"),
        (sp.true, "one side is a condition, and the other a number"),
    ],
)
def test_what_is_no_real_number_is_caught(before: sp.Basic, message: str) -> None:
    with pytest.raises(StepError, match=f"^identity: {re.escape(message)}$"):
        replay_step(Step(before, y, Rule.IDENTITY, ""))


def test_what_runs_may_not_be_assumed_of() -> None:
    step = Step(sp.Sum(A[i] ** 2, (i, 1, k)), sp.Integer(0), Rule.POLYNOMIAL, "", conditions=(sp.Ge(A[i], 0),))
    with pytest.raises(StepError, match=r"^polynomial: a condition on i, which runs$"):
        replay_step(step)


def test_an_induction_under_conditions_is_no_step_of_one_term() -> None:
    grows = Step(
        A[m], A[1], Rule.INDUCTION, "", (A[m + 1] - A[m],), conditions=(sp.Ge(A[m + 1], A[m]),), variable=m, base=1
    )
    replay_step(grows)
    over = Step(sp.Sum(A[m], (m, 1, k)), sp.Sum(A[1], (m, 1, k)), Rule.SUM, "", term=0, conditions=grows.conditions)
    with pytest.raises(StepError, match=r"^sum: step 0 assumes its conditions of every m, not of one$"):
        replay_step(over, (grows,))

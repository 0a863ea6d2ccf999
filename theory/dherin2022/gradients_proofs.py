"""Proofs of the claims of Dherin et al. 2022 on the implicit gradient regulariser: eqs 6 to 8, and what follows of them."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.transfer_proofs import COMPLEXITIES, GRADIENTS, LEAST, mean_on_the_data, on_the_data
from theory.lemmas import INDEX, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_h, _batch = sp.symbols("h B", positive=True)
_count = sp.Symbol("n", integer=True, positive=True)
_a, _b, _x, _z, _t = sp.symbols("a b x z t", real=True)
_e, _f = sp.symbols("E F", positive=True)
_floor = sp.Symbol("e", nonnegative=True)
_label, _other_label, _example, _other, _coordinate = sp.symbols("i j x y c", integer=True)
_examples = sp.Symbol("n", integer=True, nonnegative=True)
_labels = sp.Symbol("k", integer=True, nonnegative=True)
_weights = sp.Symbol("p", integer=True, positive=True)


class _Parts:
    """The parts of |grad L_B|^2 B^2, of terms v(x, i) of an example and a label, along all coordinates."""

    def __init__(self, *, softmax: bool = False) -> None:
        gradients, residuals = reals("g r")
        odds, targets = reals("s t")

        def term(example: sp.Expr, label: sp.Expr) -> sp.Expr:
            residual = odds[example, label] - targets[example, label] if softmax else residuals[example, label]
            return residual * gradients[example, label, _coordinate]

        def of(example: sp.Expr) -> sp.Expr:
            return sp.Sum(term(example, _label), (_label, 1, _labels))

        def everywhere(one: sp.Expr) -> sp.Sum:
            return sp.Sum(one, (_coordinate, 1, _weights))

        def over_examples(one: sp.Expr) -> sp.Sum:
            return sp.Sum(one, (_example, 1, _examples))

        earlier_labels = sp.Sum(term(_example, _other_label), (_other_label, 1, _label - 1))
        earlier = sp.Sum(of(_other), (_other, 1, _example - 1))
        self.whole = everywhere(sp.Sum(of(_other), (_other, 1, _examples)) ** 2)
        self.squares = everywhere(over_examples(of(_example) ** 2))
        self.batch = 2 * everywhere(over_examples(of(_example) * earlier))
        self.own = everywhere(over_examples(sp.Sum(term(_example, _label) ** 2, (_label, 1, _labels))))
        self.labels = 2 * everywhere(
            over_examples(sp.Sum(term(_example, _label) * earlier_labels, (_label, 1, _labels)))
        )
        slope = gradients[_other, _label, _coordinate]
        apart = sp.Sum(odds[_other, _label] * slope - targets[_other, _label] * slope, (_label, 1, _labels))
        self.of_the_loss = everywhere(sp.Sum(apart, (_other, 1, _examples)) ** 2)

    def steps(self) -> tuple[Step, Step]:
        """Return that the square of the sum is the squares and twice the products of pairs, over examples and over labels."""
        return (
            Step(
                self.whole,
                self.squares + self.batch,
                Rule.INDUCTION,
                "each coordinate: the square of a sum over the batch, one example more",
                variable=_examples,
            ),
            Step(
                self.squares,
                self.own + self.labels,
                Rule.INDUCTION,
                "and of a sum over the labels, one label more",
                variable=_labels,
            ),
        )


def _identity(parts: _Parts, covers: str, lhs: sp.Expr, first: tuple[Step, ...]) -> Proof:
    share = _h / (4 * _batch**2)
    printed = (
        _h / (4 * _batch) * (parts.own / _batch)
        + _h / 4 * (parts.labels / _batch**2)
        + _h / 4 * (parts.batch / _batch**2)
    )
    over_examples, over_labels = parts.steps()
    place = len(first)
    start, apart = share * parts.whole, share * (parts.squares + parts.batch)
    whole = share * (parts.own + parts.labels + parts.batch)
    return Proof(
        (
            *first,
            over_examples,
            over_labels,
            Step(
                start,
                apart,
                Rule.SCALED,
                "times h/(4 B^2)",
                term=place,
                factor=share,
            ),
            Step(apart, whole, Rule.SCALED, "likewise", term=place + 1, factor=share),
            Step(whole, printed, Rule.IDENTITY, "in the printed terms; each pair is met in both orders"),
        ),
        covers,
        lhs=lhs,
        rhs=printed,
    )


def d9() -> Proof:
    """The gradient of the cross-entropy is softmax minus target; then as D9.a."""
    parts = _Parts(softmax=True)
    share = _h / (4 * _batch**2)
    lhs, start = share * parts.of_the_loss, share * parts.whole
    because = (
        "targets of sum 1: the cross-entropy is log sum e^f - sum t f, its gradient sum s g - sum t g, s the softmax"
    )
    return _identity(
        parts,
        "any batch, number of classes and weights; examples are told apart by their places",
        lhs,
        (Step(lhs, start, Rule.IDENTITY, because),),
    )


def d9a() -> Proof:
    """Multiply out |grad L_B|^2: squares, pairs of labels of one example, pairs of examples."""
    parts = _Parts()
    return _identity(
        parts, "any loss of the outputs, batch, outputs and weights", _h / (4 * _batch**2) * parts.whole, ()
    )


def d20a() -> Proof:
    """Along each eigenvector the modified loss changes by theta^2 z^2 (z^2 - 4)/(4 h), z = h lambda."""
    curvature, start = sp.symbols("lambda w", real=True)
    curvatures, starts = reals("lambda w")

    def loss(weight: sp.Expr, at: sp.Expr) -> sp.Expr:
        return at * weight**2 / 2 + _h / 4 * (at * weight) ** 2

    before, after = loss(start, curvature), loss((1 - _h * curvature) * start, curvature)
    each = {curvature: curvatures[INDEX], start: starts[INDEX]}
    within = (_h * curvature <= 2, _h * curvature >= -2)
    gone = start**2 * _h * curvature**2 * (4 - _h**2 * curvature**2) / 4
    zero = sp.Integer(0)
    return Proof(
        (
            Step(before - after, gone, Rule.IDENTITY, "what a step takes from the modified loss along one eigenvector"),
            Step(gone, zero, Rule.POLYNOMIAL, "which is at least 0 where |h lambda| <= 2", conditions=within),
            Step(
                before,
                after,
                Rule.POLYNOMIAL,
                "so it does not grow",
                conditions=(sp.Eq(before - after, gone), sp.Ge(gone, 0)),
                uses=(0, 1),
            ),
            Step(
                over_all(before.subs(each, simultaneous=True)),
                over_all(after.subs(each, simultaneous=True)),
                Rule.SUM,
                "over all eigenvectors",
                term=2,
                conditions=tuple(
                    c.subs(each, simultaneous=True) for c in (sp.Eq(before - after, gone), sp.Ge(gone, 0))
                ),
                uses=(0, 1),
            ),
        ),
        "quadratic losses in any dimension, convex or not",
        lhs=over_all(after.subs(each, simultaneous=True)),
        rhs=over_all(before.subs(each, simultaneous=True)),
    )


def d20b() -> Proof:
    """The flow of the modified loss lies between the flow of the loss and the step, or nearer on the other side."""
    start = sp.Symbol("w", real=True)
    plain, modified, ratios, starts = (sp.IndexedBase(name, real=True) for name in ("E", "F", "z", "w"))
    e, f = (sp.Symbol(name, real=True) for name in ("E", "F"))
    near, far = start**2 * (f - (1 - _z)) ** 2, start**2 * (e - (1 - _z)) ** 2
    known = (sp.Ge(e, f), sp.Ge(e + f, 2 * (1 - _z)))
    each = {start: starts[INDEX], _z: ratios[INDEX], e: plain[INDEX], f: modified[INDEX]}
    return Proof(
        (
            Step(
                e,
                f,
                Rule.CITED,
                "the exponential function increases: E = e^-z is at least F = e^(-z - z^2/2), z = h lambda",
            ),
            Step(
                e + f,
                2 * (1 - _z),
                Rule.CITED,
                "Taylor's theorem: for z <= 0, e^-z >= 1 - z + z^2/2 and F >= 1 - z - z^2/2; for 0 <= z < 1, "
                "-z - z^2/2 >= log(1 - z), so that E >= F >= 1 - z; for z >= 1 the right side is not above 0",
            ),
            Step(
                far,
                near,
                Rule.POLYNOMIAL,
                "the difference is w^2 (E - F)(E + F - 2 (1 - z))",
                conditions=known,
                uses=(0, 1),
            ),
            summed(far, near, each, "over all eigenvectors", term=2, conditions=known, uses=(0, 1)),
        ),
        "one step on a quadratic loss in any dimension, convex or not",
        lhs=over_all(near.subs(each, simultaneous=True)),
        rhs=over_all(far.subs(each, simultaneous=True)),
    )


def d21a() -> Proof:
    """What alignments leave is at least the square of the smallest residual times the gradients."""
    parts = _Parts()
    gradients, residuals = reals("g r")
    gradient, residual = sp.symbols("g r", real=True)
    limits = ((_label, 1, _labels), (_example, 1, _examples), (_coordinate, 1, _weights))
    entry, own = gradients[_example, _label, _coordinate], residuals[_example, _label]
    weighted, least = parts.own, sp.Sum(_floor**2 * entry**2, *limits)
    whole, aligned = parts.whole / _batch**2, parts.labels + parts.batch
    over_examples, over_labels = parts.steps()
    above, all_above = sp.Ge(residual**2, _floor**2), sp.Ge(own**2, _floor**2)
    return Proof(
        (
            over_examples,
            over_labels,
            Step(
                whole,
                weighted / _batch**2,
                Rule.POLYNOMIAL,
                "A_B + C_B is not negative",
                conditions=(
                    sp.Eq(parts.whole, parts.squares + parts.batch),
                    sp.Eq(parts.squares, parts.own + parts.labels),
                    sp.Ge(aligned, 0),
                ),
                uses=(0, 1),
            ),
            Step(
                residual**2 * gradient**2,
                _floor**2 * gradient**2,
                Rule.POLYNOMIAL,
                "no residual is smaller than e",
                conditions=(above,),
            ),
            Step(weighted, least, Rule.SUM, "over all", term=3, conditions=(all_above,)),
            Step(
                weighted / _batch**2,
                least / _batch**2,
                Rule.POLYNOMIAL,
                "over B^2",
                conditions=(sp.Ge(weighted, least),),
                uses=(4,),
            ),
        ),
        "any loss of the outputs, batch, outputs and weights",
        lhs=least / _batch**2,
        rhs=whole,
    )


def d21c() -> Proof:
    """Both moments of the mean of a batch are known, and the share of the noise falls with B."""
    (gradients,) = reals("g")
    means, others = reals("u v")
    count, most = sp.symbols("m M", integer=True, positive=True)
    share, other_share = sp.symbols("q Q", nonnegative=True)
    larger, fewer = sp.symbols("H b", positive=True)
    draw, every = sp.Symbol("t", integer=True), (_coordinate, 1, _weights)
    total = sp.Sum(gradients[_other, _coordinate], (_other, 1, _count))
    squared = sp.Sum((total / _count) ** 2, every)
    spread = (
        sp.Sum(sp.Sum((gradients[_example, _coordinate] - total / _count) ** 2, (_example, 1, _count)), every) / _count
    )
    s, v = sp.symbols("S V", nonnegative=True)

    def over_batches(of: sp.IndexedBase, size: sp.Symbol) -> sp.Expr:
        return sp.Sum(sp.Sum(of[draw, _coordinate] ** 2, every), (draw, 1, size)) / size

    lhs, rhs = _h / 4 * over_batches(means, count), larger / 4 * over_batches(others, most)
    mine, yours = _h / 4 * (squared + share * spread), larger / 4 * (squared + other_share * spread)
    cited = "inclusion in a simple random sample (Cochran): E|grad L_B|^2 = |grad L|^2 + p tr Cov, B15"
    return Proof(
        (
            Step(rhs, yours, Rule.CITED, f"{cited}, of the smaller batches"),
            Step(
                (_count - fewer) / (fewer * (_count - 1)),
                (_count - _batch) / (_batch * (_count - 1)),
                Rule.POLYNOMIAL,
                "p falls with B",
                conditions=(_count > 1, _batch >= fewer),
            ),
            Step(
                larger / 4 * (s + other_share * v),
                _h / 4 * (s + share * v),
                Rule.POLYNOMIAL,
                "squares are not negative, and h <= H",
                conditions=(larger >= _h, other_share >= share),
                uses=(1,),
            ),
            Step(
                yours,
                mine,
                Rule.POLYNOMIAL,
                "S = |grad L|^2 and V = tr Cov are sums of squares",
                conditions=(larger >= _h, other_share >= share, sp.Ge(squared, 0), sp.Ge(spread, 0)),
                uses=(1, 2),
            ),
            Step(mine, lhs, Rule.CITED, f"{cited}, of the larger batches"),
        ),
        "any gradients, number of examples and weights; both shares are 0 for n = 1",
        lhs=lhs,
        rhs=rhs,
    )


def d19b() -> Proof:
    """Label noise adds s^2/n times the mean of |grad_theta f|^2, which bounds GC by the transfer functions."""
    noisy, plain = sp.symbols("N P", real=True)
    count, variance = sp.symbols("n s", positive=True)
    added = count / variance * (noisy - plain) / LEAST
    return Proof(
        (
            *on_the_data(),
            mean_on_the_data(count),
            Step(
                added,
                GRADIENTS / LEAST / count,
                Rule.CITED,
                "Bienayme: noise of mean 0 and covariance s I, free of theta, adds (s/n^2) sum |grad_theta f|^2 to "
                "|grad L|^2 on average (B16)",
            ),
        ),
        "dense layers with weights of their own, of any number and sizes; any data and targets",
        lhs=COMPLEXITIES / count,
        rhs=added,
    )

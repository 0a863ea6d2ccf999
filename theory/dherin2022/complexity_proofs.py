"""Proofs of the claims of Dherin et al. 2022 on what geometric complexity is; g is 1/|D| throughout."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    both_ways,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    reals,
    summed,
)
from theory.proof import Proof, Rule, Step

_datum, _data = sp.Symbol("x", integer=True), sp.Symbol("n", integer=True, nonnegative=True)
_width, _outputs, _parts = sp.symbols("d k r", integer=True, nonnegative=True)
_g = sp.Symbol("g", positive=True)
_whole = sp.Eq(_g * _data, 1)
_step, _tolerance = sp.symbols("h t", positive=True)


def _over_data(term: sp.Expr, index: sp.Symbol, last: sp.Symbol) -> sp.Sum:
    """Return the sum over an index, of all data."""
    return sp.Sum(term, (index, 1, last), (_datum, 1, _data))


def d1() -> Proof:
    """Around a datum off the kinks f is affine, so that its quotients over small steps are its derivatives."""
    value, moved, slope = sp.symbols("f F J", real=True)
    outer, before, change = reals("v z w")
    before_, after = _g * ((moved - value) / _step) ** 2, _g * slope**2
    affine = (sp.Eq(moved, value + _step * slope),)
    each = {
        moved: reals("F")[0][INDEX],
        value: reals("f")[0][INDEX],
        slope: reals("J")[0][INDEX],
        _step: sp.IndexedBase("h", positive=True)[INDEX],
    }
    j = INDEX
    return Proof(
        (
            Step(
                over_all(outer[j] * (before[j] + _step * change[j])),
                over_all(outer[j] * before[j]) + _step * over_all(outer[j] * change[j]),
                Rule.IDENTITY,
                "one layer, over its m active units: while none switches, what comes out is affine in what goes in, and with "
                "one layer after another so is f, with the product of the masked matrices as its slope",
            ),
            *both_ways(before_, after, "one output along one axis", conditions=affine, uses=(0,)),
            summed(before_, after, each, "over all outputs, axes and data", term=1, conditions=affine, uses=(0,)),
            summed(after, before_, each, "and the other way", term=2, conditions=affine, uses=(0,)),
        ),
        "networks of any depth and width, any data off the kinks",
        lhs=over_all(before_.subs(each, simultaneous=True)),
        rhs=over_all(after.subs(each, simultaneous=True)),
    )


def _linear() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr, sp.Expr]:
    """Return the steps from the complexity of an affine map by its values to ||A||_F^2; both, with what is between them."""
    value, moved, slope = sp.symbols("f F A", real=True)
    values, after, (entries,) = sp.IndexedBase("f", real=True), sp.IndexedBase("F", real=True), reals("A")
    squared, steep = _g * (moved - value) ** 2, _g * slope**2
    affine = (sp.Eq(moved, value + slope),)
    at = {moved: after[_datum, INDEX], value: values[_datum, INDEX], slope: entries[INDEX]}
    left = _over_data(squared.subs(at, simultaneous=True), INDEX, COUNT)
    middle = _over_data(_g * entries[INDEX] ** 2, INDEX, COUNT)
    square = over_all(entries[INDEX] ** 2)
    each = (affine[0].subs(at, simultaneous=True),)
    outer, inner = reals("a x")
    return (
        (
            Step(
                over_all(outer[INDEX] * (inner[INDEX] + sp.KroneckerDelta(INDEX, COLUMN)))
                - over_all(outer[INDEX] * inner[INDEX]),
                over_all(outer[INDEX] * sp.KroneckerDelta(INDEX, COLUMN)),
                Rule.IDENTITY,
                "a row a of A: a.(x + e_j) - a.x is the entry a_j, whatever x",
            ),
            *both_ways(squared, steep, "one output along one axis", conditions=affine, uses=(0,)),
            Step(left, middle, Rule.SUM, "over all outputs, axes and data", term=1, conditions=each, uses=(0,)),
            Step(middle, left, Rule.SUM, "and the other way", term=2, conditions=each, uses=(0,)),
            Step(middle, _data * _g * square, Rule.INDUCTION, "the same at each of the n data", variable=_data, base=0),
            *both_ways(_data * _g * square, square, "g = 1/n", conditions=(_whole,)),
        ),
        left,
        middle,
        square,
    )


def d2() -> Proof:
    """An affine map is as steep everywhere."""
    steps, left, _, square = _linear()
    return Proof(steps, "any affine map and data", lhs=left, rhs=square)


def d11a() -> Proof:
    """The squared norm of all parameters is that of the weights and that of the biases."""
    steps, left, middle, square = _linear()
    steps = steps[:6]
    biases = sp.Sum(reals("b")[0][COLUMN] ** 2, (COLUMN, 1, _outputs))
    equal = (sp.Ge(left, middle), sp.Ge(middle, left), sp.Eq(middle, _data * _g * square), _whole)
    return Proof(
        (
            *steps,
            *both_ways(
                square + biases,
                left + biases,
                "the parameters are A and b, and the complexity is ||A||_F^2",
                conditions=equal,
                uses=(3, 4, 5),
            ),
        ),
        "any affine map and data",
        lhs=square + biases,
        rhs=left + biases,
    )


def d3a() -> Proof:
    """Off the kinks a datum's Jacobian is that of its piece."""
    lies, piece, here = sp.symbols("z a s", nonnegative=True)
    places = sp.IndexedBase("z", nonnegative=True)
    pieces, norms = nonnegatives("a s")
    before, after = _g * lies * here, _g * lies * piece
    same = sp.Or(sp.Eq(lies, 0), sp.Eq(here, piece))
    at = {lies: places[_datum, COLUMN], piece: pieces[COLUMN], here: norms[_datum]}
    of_data, of_pieces = (_over_data(side.subs(at, simultaneous=True), COLUMN, _parts) for side in (before, after))
    each = (same.subs(at, simultaneous=True),)
    counted = sp.Sum(_g * pieces[COLUMN] * sp.Sum(places[_datum, COLUMN], (_datum, 1, _data)), (COLUMN, 1, _parts))
    return Proof(
        (
            *both_ways(before, after, "z = 1 where the datum lies in the piece, else 0", conditions=(same,)),
            Step(of_data, of_pieces, Rule.SUM, "the pieces share the data out", term=0, conditions=each),
            Step(of_pieces, of_data, Rule.SUM, "and the other way", term=1, conditions=each),
            Step(
                of_pieces,
                counted,
                Rule.INDUCTION,
                "piece by piece, n_i being how many data lie in it: one datum after another",
                variable=_data,
                base=0,
            ),
        ),
        "networks of any depth and width, any data off the kinks",
        lhs=of_data,
        rhs=counted,
    )


def d3b() -> Proof:
    """Equal proportions make equal means."""
    inside, outside, piece = sp.symbols("p q a", nonnegative=True)
    kept = (sp.Eq(inside, outside),)
    of_batch, of_all, square = nonnegatives("p q a")
    each = {inside: of_batch[INDEX], outside: of_all[INDEX], piece: square[INDEX]}
    return Proof(
        (
            *both_ways(inside * piece, outside * piece, "a piece has one share p = q of both", conditions=kept),
            summed(inside * piece, outside * piece, each, "over all pieces, by D3.a", term=0, conditions=kept),
            summed(outside * piece, inside * piece, each, "and the other way", term=1, conditions=kept),
        ),
        "networks of any depth and width, any data off the kinks",
        lhs=over_all(of_batch[INDEX] * square[INDEX]),
        rhs=over_all(of_all[INDEX] * square[INDEX]),
    )


def d4() -> Proof:
    """Each column of a Jacobian, and each row, is at most f_L long."""
    bound, column, row = sp.symbols("L s t", nonnegative=True)
    jacobian = sp.IndexedBase("J", real=True)
    columns, rows = sp.IndexedBase("s", nonnegative=True), sp.IndexedBase("t", nonnegative=True)
    entry = jacobian[_data, ROW, COLUMN]
    by_columns = sp.Sum(sp.Sum(entry**2, (ROW, 1, ROWS)), (COLUMN, 1, COLUMNS))
    by_rows = sp.Sum(sp.Sum(entry**2, (COLUMN, 1, COLUMNS)), (ROW, 1, ROWS))
    along_axis, along_gradient = sp.Ge(bound**2 * _step**2, _step**2 * column), sp.Ge(bound**2 * row, row**2)
    of_columns = _over_data(_g * columns[_datum, COLUMN], COLUMN, _width)
    of_rows = _over_data(_g * rows[_datum, ROW], ROW, _outputs)
    most_columns, most_rows = (
        _over_data(_g * bound**2, index, last) for index, last in ((COLUMN, _width), (ROW, _outputs))
    )
    column_each = (along_axis.subs(column, columns[_datum, COLUMN]),)
    row_each = (along_gradient.subs(row, rows[_datum, ROW]),)
    columns_bound, rows_bound = _width * bound**2, _outputs * bound**2
    return Proof(
        (
            Step(
                by_columns,
                by_rows,
                Rule.INDUCTION,
                "the squares of a Jacobian's entries, column by column or row by row",
                variable=ROWS,
                base=0,
            ),
            Step(
                sp.Sum((_step * entry) ** 2, (ROW, 1, ROWS)),
                _step**2 * sp.Sum(entry**2, (ROW, 1, ROWS)),
                Rule.IDENTITY,
                "over a small step h along an axis f moves by h times a column, whose squared length is s",
            ),
            Step(
                _g * bound**2,
                _g * column,
                Rule.POLYNOMIAL,
                "by at most f_L h: so the column is at most f_L long",
                conditions=(along_axis,),
                uses=(1,),
            ),
            Step(
                _g * bound**2,
                _g * row,
                Rule.POLYNOMIAL,
                "along a row, the gradient of one output, of squared length t, that output alone moves by h t, and f by at "
                "most f_L h times the root of t",
                conditions=(along_gradient,),
            ),
            Step(
                most_columns, of_columns, Rule.SUM, "over all axes and data", term=2, conditions=column_each, uses=(1,)
            ),
            Step(most_rows, of_rows, Rule.SUM, "over all outputs and data", term=3, conditions=row_each),
            Step(most_columns, _data * _g * columns_bound, Rule.IDENTITY, "d columns at each of n data"),
            Step(most_rows, _data * _g * rows_bound, Rule.IDENTITY, "k rows"),
            Step(
                sp.Min(_width, _outputs) * bound**2,
                of_columns,
                Rule.POLYNOMIAL,
                "the complexity is both sums, so it is at most the smaller bound; g = 1/n",
                conditions=(
                    _whole,
                    sp.Ge(_data * _g * columns_bound, of_columns),
                    sp.Ge(_data * _g * rows_bound, of_rows),
                    sp.Eq(of_columns, of_rows),
                ),
                uses=(0, 4, 5, 6, 7),
            ),
        ),
        "any differentiable function, dimensions and data",
        lhs=of_columns,
        rhs=sp.Min(_width, _outputs) * bound**2,
    )


def of_batches() -> tuple[Step, Step, Step]:
    """Return (1 - B/n) S^2 / B as the mean over all m batches of the squared distance of their means from that of n numbers.

    S_1 is the sum of the numbers, S_2 that of their squares, n = k + 1.
    """
    batch, fewer = sp.symbols("B k", integer=True, positive=True)
    total, squares = sp.symbols("S_1 S_2", real=True)
    (means,) = reals("x")
    n = fewer + 1
    centre, pairs = total / n, batch * (batch - 1) / (n * fewer)
    moments = (batch / n * squares + pairs * (total**2 - squares)) / batch**2 - centre**2
    spread = over_all((means[INDEX] - centre) ** 2) / COUNT
    counted = (
        "inclusion in a simple random sample (Cochran): of n numbers one lies in the batch with probability B/n, two with "
        "B (B - 1)/(n (n - 1)), so the mean of x is S_1/n and that of x^2 the first term"
    )
    return (
        Step(
            (1 - batch / n) * (squares - total**2 / n) / (fewer * batch),
            moments,
            Rule.IDENTITY,
            "(1 - B/n) S^2 / B, (n - 1) S^2 = S_2 - S_1^2/n",
        ),
        Step(moments, spread, Rule.CITED, counted),
        Step(spread, moments, Rule.CITED, f"{counted}; and the other way"),
    )


def d12a() -> Proof:
    """Chebyshev's inequality, with the variance of batch means."""
    variance, cited, _ = of_batches()
    total, fewer = sp.Symbol("S_1", real=True), sp.Symbol("k", integer=True, positive=True)
    centre, place = total / (fewer + 1), sp.Symbol("x", real=True)
    far = sp.Symbol("c", nonnegative=True)
    (means,), (marks,) = reals("x"), nonnegatives("c")
    one, mark = (place - centre) ** 2 / (_tolerance**2 * COUNT), far / COUNT
    marked = sp.Or(sp.Eq(far, 0), sp.And(sp.Eq(far, 1), sp.Ge(sp.Abs(place - centre), _tolerance)))
    each = {place: means[INDEX], far: marks[INDEX]}
    of_all = over_all(one.subs(each, simultaneous=True))
    bound, at_moments = variance.before / _tolerance**2, cited.before / _tolerance**2
    return Proof(
        (
            variance,
            cited,
            Step(bound, at_moments, Rule.SCALED, "over t^2", term=0, factor=1 / _tolerance**2),
            Step(
                at_moments,
                cited.after / _tolerance**2,
                Rule.POLYNOMIAL,
                "the variance of the means",
                conditions=(sp.Ge(cited.before, cited.after),),
                uses=(1,),
            ),
            Step(cited.after / _tolerance**2, of_all, Rule.IDENTITY, "in one sum"),
            Step(one, mark, Rule.POLYNOMIAL, "c = 1 for a batch that is off by t or more", conditions=(marked,)),
            summed(one, mark, each, "over all batches", term=5, conditions=(marked,)),
        ),
        "at least two data, any batch size and distance",
        lhs=over_all(marks[INDEX] / COUNT),
        rhs=bound,
    )


def d13() -> Proof:
    """A unit beyond the data is flat at each of them, and as steep as one likes."""
    steep, constant = sp.symbols("L Lambda", nonnegative=True)
    kink, place, here, there = sp.symbols("c p u v", real=True)
    (slopes,) = reals("J")
    new, flat = slopes[ROWS + 1], sp.Sum(_g * slopes[ROW] ** 2, (ROW, 1, ROWS))
    zero = (sp.Eq(new, 0),)
    return Proof(
        (
            Step(
                sp.Integer(0),
                _g * new**2,
                Rule.POLYNOMIAL,
                "a datum before the kink: f is 0 around it",
                conditions=zero,
            ),
            Step(
                sp.Integer(0),
                flat,
                Rule.INDUCTION,
                "over all r derivatives at the data",
                (-_g * new**2,),
                term=0,
                conditions=zero,
                variable=ROWS,
                base=0,
            ),
            Step(
                steep * sp.Max(0, place - kink),
                steep,
                Rule.POLYNOMIAL,
                "f is 0 at the kink c, and L at p, 1 beyond it",
                conditions=(sp.Eq(place - kink, 1),),
            ),
            Step(
                sp.Integer(0),
                sp.Max(flat, steep - constant),
                Rule.POLYNOMIAL,
                "and by no more than f_L",
                conditions=(sp.Le(flat, 0), sp.Ge(there - here, steep), sp.Ge(constant, there - here)),
                uses=(1, 2),
            ),
        ),
        "any data and dimension",
        lhs=sp.Max(flat, steep - constant),
        rhs=sp.Integer(0),
    )


def d13a() -> Proof:
    """Along a segment f goes through pieces, in each no steeper than the steepest."""
    change, apart, most = sp.symbols("D u M", nonnegative=True)
    share, slope = sp.symbols("l e", nonnegative=True)
    along = sp.Symbol("c", real=True)
    shares, slopes = nonnegatives("l e")
    (turns,) = reals("c")
    each = {share: shares[INDEX], slope: slopes[INDEX], along: turns[INDEX]}
    before, after = share * change * most * apart, share * along
    known = (sp.Ge(change * slope, along), sp.Ge(most * apart, slope))
    longest, passed = (over_all(side.subs(each, simultaneous=True)) for side in (before, after))
    return Proof(
        (
            cauchy_schwarz(
                reals("a")[0],
                reals("b")[0],
                "the inner product of f(x') - f(x) with the slope of f along x' - x on one part",
            ),
            Step(
                change * slope,
                along,
                Rule.POLYNOMIAL,
                "is at most the product of their lengths D and e",
                conditions=(sp.Ge(change**2 * slope**2, along**2),),
                uses=(0,),
            ),
            Step(
                before,
                after,
                Rule.POLYNOMIAL,
                "and e is at most M |x' - x|, as M is the largest spectral norm; l is the share of that part",
                conditions=known,
                uses=(1,),
            ),
            summed(before, after, each, "over all parts", term=2, conditions=known, uses=(1,)),
            Step(longest, change * most * apart * over_all(shares[INDEX]), Rule.IDENTITY, "the shares sum to 1"),
            Step(
                most * apart,
                change,
                Rule.POLYNOMIAL,
                "f(x') - f(x) is the sum of its changes on all parts, so the sum of the inner products is D^2",
                conditions=(
                    sp.Ge(longest, passed),
                    sp.Eq(longest, change * most * apart),
                    sp.Eq(passed, change**2),
                ),
                uses=(3, 4),
            ),
        ),
        "networks of any depth and width, any two points",
        lhs=change,
        rhs=most * apart,
    )


def d15a() -> Proof:
    """The expectation is linear, and each datum has the distribution of X."""
    chance, place, norm = sp.symbols("p w s", nonnegative=True)
    probabilities, norms, drawn, values = nonnegatives("p s q y")
    places = sp.IndexedBase("w", nonnegative=True)
    before, after = _g * place * norm, _g * chance * norm
    same = (sp.Eq(place, chance),)
    at = {place: places[_datum, COLUMN], chance: probabilities[COLUMN], norm: norms[COLUMN]}
    each = (same[0].subs(at, simultaneous=True),)
    by_draws, by_inputs = (_over_data(side.subs(at, simultaneous=True), COLUMN, _parts) for side in (before, after))
    empirical = over_all(drawn[INDEX] * values[INDEX])
    theoretical = sp.Sum(probabilities[COLUMN] * norms[COLUMN], (COLUMN, 1, _parts))
    linear = "the expectation is linear: w is the probability that draw x of n is input j, over all m samples"
    return Proof(
        (
            Step(empirical, by_draws, Rule.CITED, linear),
            Step(by_draws, empirical, Rule.CITED, f"{linear}; and the other way"),
            *both_ways(before, after, "each draw has the distribution of X", conditions=same),
            Step(by_draws, by_inputs, Rule.SUM, "over all draws and inputs", term=2, conditions=each),
            Step(by_inputs, by_draws, Rule.SUM, "and the other way", term=3, conditions=each),
            Step(
                by_inputs,
                _data * _g * theoretical,
                Rule.INDUCTION,
                "the same for each of n draws",
                variable=_data,
                base=0,
            ),
            *both_ways(_data * _g * theoretical, theoretical, "g = 1/n", conditions=(_whole,)),
        ),
        "any finite distribution, sample size and fixed model",
        lhs=empirical,
        rhs=theoretical,
    )

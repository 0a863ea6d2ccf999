"""Proofs of the claims of Neyshabur et al. 2017 on norms, margins and rescalings, for any widths and depths."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    TIME,
    both_ways,
    mean_of_squares,
    nonnegatives,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_inequality,
)
from theory.proof import Proof, Rule, Step

_ANY = "networks of any depth and widths, any p >= 1"


def positives(names: str) -> tuple[sp.IndexedBase, ...]:
    """Return sequences of numbers above 0 by their names, separated by blanks."""
    return tuple(sp.IndexedBase(name, positive=True) for name in names.split())


def n3a() -> Proof:
    """What reaches a unit over all paths is at most the product of the largest rows of the layers below it.

    a_j is |w|^p before the rescaling, f_j the p-th power of the factor of unit j, c that of the unit that the row belongs to,
    s_j the sum of |weight|^p over the paths to unit j; R_i the largest row of layer i after the rescaling, and U_i the
    largest f_j s_j of what layer i is given.
    """
    weights, sums = nonnegatives("a s")
    (factors,) = positives("f")
    rows, peaks = nonnegatives("R U")
    own, weight, there = (
        sp.Symbol("c", positive=True),
        sp.Symbol("v", nonnegative=True),
        sp.Symbol("y", nonnegative=True),
    )
    last = COUNT + 1
    below = peaks[COUNT]
    v, y = (sp.IndexedBase(name, nonnegative=True) for name in ("v", "y"))
    j = COLUMN
    bounded, actual = over_columns(v[j] * below), over_columns(v[j] * y[j])
    moved = over_columns(own * weights[j] / factors[j] * (factors[j] * sums[j]))
    path = own * over_columns(weights[j] * sums[j])
    row = over_columns(v[j])
    layer = (
        sp.Ge(bounded, actual),
        sp.Eq(bounded, below * row),
        sp.Eq(actual, moved),
        sp.Eq(moved, path),
        sp.Ge(rows[COUNT], row),
        sp.Eq(peaks[last], path),
    )
    one = Step(
        rows[COUNT] * below,
        peaks[last],
        Rule.POLYNOMIAL,
        "one layer more, at the unit where c s is largest: v_j = c a_j/f_j are its row, and y_j = f_j s_j what it is given",
        conditions=layer,
        uses=(1, 2, 3),
    )
    steps = (
        Step(
            weight * below,
            weight * there,
            Rule.POLYNOMIAL,
            "one path more, of a unit whose f s is at most U",
            conditions=(sp.Ge(below, there),),
        ),
        Step(
            bounded,
            actual,
            Rule.SUM,
            "over the units below",
            term=0,
            conditions=(sp.Ge(below, y[j]),),
        ),
        Step(bounded, below * row, Rule.IDENTITY, "U is the same for all"),
        Step(moved, path, Rule.IDENTITY, "a factor that enters a unit leaves it again: no path changes its weight"),
        one,
        Step(
            sp.Product(rows[INDEX], (INDEX, 1, COUNT)) * peaks[1],
            peaks[last],
            Rule.INDUCTION,
            "over the layers, from the inputs on, where U = 1",
            (one.before.subs(COUNT, last) - one.after.subs(COUNT, last),),
            variable=COUNT,
            base=1,
            factor=rows[last],
            conditions=(sp.Ge(rows[last] * peaks[last], peaks[last + 1]), sp.Ge(rows[1] * peaks[1], peaks[2])),
            uses=(4,),
        ),
    )
    return Proof(steps, f"{_ANY}, any rescaling, any number of outputs", lhs=steps[-1].before, rhs=peaks[last])


def n3b() -> Proof:
    """With 1/T_k for the factor of unit k, T = A T' + t, no row of a hidden layer has a sum above 1.

    a_j is |w|^p in the row of unit k, T_j what the recursion has for the units below, c is T_k; R_i the largest row of a layer
    after the rescaling, from the output layer down.
    """
    weights, (lifted,) = nonnegatives("a")[0], positives("T")
    (rows,) = nonnegatives("R")
    own, lift = sp.symbols("c t", positive=True)
    reached, row = over_columns(weights[COLUMN] * lifted[COLUMN]), over_columns(weights[COLUMN] * lifted[COLUMN] / own)
    last = COUNT + 1
    whole = sp.Product(rows[INDEX], (INDEX, 1, COUNT))
    steps = (
        Step(row, reached / own, Rule.IDENTITY, "T_k is the same along its row"),
        Step(
            sp.Integer(1),
            reached / own,
            Rule.POLYNOMIAL,
            "T_k is what reaches the unit, and t more",
            conditions=(sp.Eq(own, reached + lift),),
        ),
        Step(
            sp.Integer(1),
            rows[last],
            Rule.POLYNOMIAL,
            "the largest row of a hidden layer, k its unit",
            conditions=(sp.Eq(rows[last], row), sp.Eq(row, reached / own), sp.Ge(1, reached / own)),
            uses=(0, 1),
        ),
        Step(
            rows[1],
            whole,
            Rule.INDUCTION,
            "over the layers, from the output down",
            (rows[1] * (1 - rows[last]),),
            variable=COUNT,
            base=1,
            factor=rows[last],
            conditions=(sp.Ge(1, rows[last]),),
            uses=(2,),
        ),
    )
    return Proof(steps, f"{_ANY}, dead units among them", lhs=whole, rhs=rows[1])


def n3c() -> Proof:
    """With 1/s_k for the factor of unit k, every row of a hidden layer has the sum 1; symbols as in N3.a and N3.b."""
    weights, (sums,) = nonnegatives("a")[0], positives("s")
    (rows,) = nonnegatives("R")
    own = sp.Symbol("c", positive=True)
    reached, row = over_columns(weights[COLUMN] * sums[COLUMN]), over_columns(weights[COLUMN] * sums[COLUMN] / own)
    last = COUNT + 1
    whole = sp.Product(rows[INDEX], (INDEX, 1, COUNT))
    full = (sp.Eq(rows[last], row), sp.Eq(row, reached / own), sp.Eq(own, reached))
    one = (sp.Ge(1, rows[last]), sp.Ge(rows[last], 1))
    steps = (
        Step(row, reached / own, Rule.IDENTITY, "s_k is the same along its row"),
        *both_ways(rows[last], sp.Integer(1), "any row of a hidden layer, k its unit", conditions=full, uses=(0,)),
        Step(
            rows[1],
            whole,
            Rule.INDUCTION,
            "over the layers, from the output down, where the rows are what reaches the outputs",
            (rows[1] * (1 - rows[last]),),
            variable=COUNT,
            base=1,
            factor=rows[last],
            conditions=one,
            uses=(1, 2),
        ),
        Step(
            whole,
            rows[1],
            Rule.INDUCTION,
            "and the other way",
            (rows[1] * (rows[last] - 1),),
            variable=COUNT,
            base=1,
            factor=rows[last],
            conditions=one,
            uses=(1, 2),
        ),
    )
    return Proof(steps, f"{_ANY}, any number of outputs", lhs=whole, rhs=rows[1])


def n3d() -> Proof:
    """What a layer's rows allow a unit beyond what its paths bring is handed on along every path from a unit without any.

    E_l = P_l/c - s of the l-th unit of the path, P_l the product of the largest rows up to its layer, c the p-th power of its
    factor; a_l is |w|^p on the path, b_j the a E of the other units that the next one on it is given; z is s of the output.
    """
    (spare,) = nonnegatives("E")
    weights, others = nonnegatives("a b")
    sums = sp.Symbol("z", nonnegative=True)
    rest, last = over_rows(others[ROW]), COUNT + 1
    way = sp.Product(weights[INDEX], (INDEX, 1, COUNT)) * spare[1]
    on = (sp.Ge(spare[last], weights[COUNT] * spare[COUNT] + rest), sp.Ge(rest, 0))
    start = (sp.Ge(spare[last + 1], weights[last] * spare[last]), sp.Ge(spare[2], weights[1] * spare[1]))
    steps = (
        Step(
            rest, sp.Integer(0), Rule.INDUCTION, "the other units take nothing away", (others[ROWS + 1],), variable=ROWS
        ),
        Step(
            spare[last],
            weights[COUNT] * spare[COUNT],
            Rule.POLYNOMIAL,
            "one layer more: P_l/c is at least the sum of a P/c over the units below (its row), s that of a s",
            conditions=on,
            uses=(0,),
        ),
        Step(
            spare[last],
            way,
            Rule.INDUCTION,
            "along the path",
            (spare[last + 1] - weights[last] * spare[last],),
            variable=COUNT,
            base=1,
            factor=weights[last],
            conditions=start,
            uses=(1,),
        ),
        Step(
            sums + spare[last],
            sums + way,
            Rule.POLYNOMIAL,
            "at the output, whose factor is 1",
            conditions=(sp.Ge(spare[last], way),),
            uses=(2,),
        ),
    )
    return Proof(steps, f"{_ANY}, any rescaling, and any path from a dead unit", lhs=sums + spare[last], rhs=sums + way)


def n9() -> Proof:
    """Of N - 1 pairs of neighbours, once the ends of the pieces are among the points, each lies in one of m pieces.

    c_i is how often the sign changes from one to the next of the points in piece i, and L of all points without the ends.
    """
    (changes,) = nonnegatives("c")
    counted = sp.Symbol("L", nonnegative=True)
    whole, total, last = over_all(sp.Integer(1)), over_all(changes[INDEX]), COUNT + 1
    steps = (
        Step(
            sp.Integer(1),
            changes[1],
            Rule.CITED,
            "what is linear is above 0 on one side of at most one point, on an interval that is the first piece or any other",
        ),
        Step(
            whole,
            total,
            Rule.INDUCTION,
            "over the pieces",
            (1 - changes[last],),
            variable=COUNT,
            base=1,
            conditions=(sp.Ge(1, changes[last]), sp.Ge(1, changes[1])),
            uses=(0,),
        ),
        Step(
            total,
            counted,
            Rule.CITED,
            "points in between take no change of sign away",
        ),
        Step(
            whole,
            counted,
            Rule.POLYNOMIAL,
            "from one to the other",
            conditions=(sp.Ge(whole, total), sp.Ge(total, counted)),
            uses=(1, 2),
        ),
    )
    return Proof(steps, "any number of units and points", lhs=counted, rhs=whole)


def n10a() -> Proof:
    """Cauchy and Schwarz over the m = h_0 h_1 .. h_d paths, u_i the weight of the i-th, each weight doubled."""
    (along,) = reals("u")
    step = mean_of_squares(along[INDEX], "over all paths, of which there are m")
    return Proof((step,), "networks of any depth and widths", lhs=step.after, rhs=step.before)


def n10c() -> Proof:
    """A matrix has no more squared Frobenius norm than its squared spectral norm for each row, or for each column.

    s is ||W||_2^2 of a layer, q and z the squared norms of its rows and columns, G_i = min(h_i, h_{i-1}) s and F_i its
    squared Frobenius norm, layer by layer.
    """
    rows, columns = nonnegatives("q z")
    most, frobenius = nonnegatives("G F")
    norm = sp.Symbol("s", nonnegative=True)
    of_rows, of_columns = over_rows(rows[ROW]), over_columns(columns[COLUMN])
    last = COUNT + 1
    least = sp.Min(ROWS, COLUMNS) * norm
    larger, smaller = (sp.Product(4 * of[INDEX], (INDEX, 1, COUNT)) for of in (most, frobenius))
    layer = (
        sp.Eq(most[last], least),
        sp.Eq(frobenius[last], of_rows),
        sp.Eq(frobenius[last], of_columns),
        sp.Ge(ROWS * norm, of_rows),
        sp.Ge(COLUMNS * norm, of_columns),
    )
    cited = "Rayleigh and Ritz: no row, here the first and likewise every other one, is longer than the spectral norm"
    steps = (
        Step(norm, rows[1], Rule.CITED, cited),
        Step(norm, columns[1], Rule.CITED, "the same of the transposed matrix, whose spectral norm is the same"),
        Step(
            ROWS * norm,
            of_rows,
            Rule.INDUCTION,
            "over the rows",
            (norm - rows[ROWS + 1],),
            variable=ROWS,
            conditions=(sp.Ge(norm, rows[ROWS + 1]),),
            uses=(0,),
        ),
        Step(
            COLUMNS * norm,
            of_columns,
            Rule.INDUCTION,
            "over the columns",
            (norm - columns[COLUMNS + 1],),
            variable=COLUMNS,
            conditions=(sp.Ge(norm, columns[COLUMNS + 1]),),
            uses=(1,),
        ),
        Step(most[last], frobenius[last], Rule.POLYNOMIAL, "a layer", conditions=layer, uses=(2, 3)),
        Step(
            larger,
            smaller,
            Rule.INDUCTION,
            "over the layers",
            (larger * (4 * most[last] - 4 * frobenius[last]),),
            variable=COUNT,
            base=1,
            factor=4 * frobenius[last],
            conditions=(sp.Ge(most[last], frobenius[last]), sp.Ge(most[1], frobenius[1])),
            uses=(4,),
        ),
    )
    return Proof(steps, "networks of any depth and widths", lhs=smaller, rhs=larger)


def _quantile(strict: bool) -> tuple[tuple[Step, ...], sp.Basic, sp.Basic]:
    """Return that the r-th smallest number is at most g iff at least a share e of the n numbers is, r = ceil(e n).

    c numbers are at most g; y is the c-th smallest and z the one after it, or a number on their side of g where there is
    none; a is the r-th smallest.

    Args:
        strict: whether to say the same of what is not so.
    """
    counted, place, all_of = sp.symbols("c r n", integer=True, nonnegative=True)
    share = sp.Symbol("e", positive=True)
    level, own, before, behind = sp.symbols("g a y z", real=True)
    whole = (
        sp.Or(sp.Ge(counted, place), sp.Le(counted, place - 1)),
        sp.Lt(place - 1, share * all_of),
        sp.Le(share * all_of, place),
    )
    ordered = (
        sp.Or(sp.Lt(counted, place), sp.Le(own, before)),
        sp.Or(sp.Ge(counted, place), sp.Ge(own, behind)),
        sp.Le(before, level),
        sp.Lt(level, behind),
    )
    left, middle, right = sp.Le(own, level), sp.Ge(counted, place), sp.Ge(counted, share * all_of)
    if strict:
        left, middle, right = sp.Gt(own, level), sp.Lt(counted, place), sp.Lt(counted, share * all_of)
    steps = (
        Step(
            left,
            middle,
            Rule.IDENTITY,
            "in increasing order: the c-th is at most g, and the next is not",
            conditions=ordered,
        ),
        Step(
            middle, right, Rule.IDENTITY, "c is a whole number, and r the least that is e n or more", conditions=whole
        ),
    )
    return steps, left, right


def n12() -> Proof:
    """The r-th smallest margin is the lowest level that so many margins do not exceed."""
    steps, left, right = _quantile(strict=False)
    return Proof(steps, "any margins, equal ones among them, any level and share", lhs=left, rhs=right)


def n1() -> Proof:
    """The same at the level 0, of what is not so."""
    steps, left, right = _quantile(strict=True)
    return Proof(steps, "any scores of two or more classes, any number of data", lhs=left, rhs=right)


def n1a() -> Proof:
    """The position h = (m - 1)/q + 1 lies in the unit interval from ceil(m/q) on.

    k is the whole part of h and x what is left, a and b the k-th and the next smallest margin; r = ceil(m/q), g the r-th.
    """
    total, place, part, other = sp.symbols("m r q k", integer=True, positive=True)
    left, own, following, margin = sp.symbols("x a b g", real=True)
    whole = (
        sp.Or(sp.Le(place, other - 1), sp.Ge(place, other)),
        sp.Or(sp.Le(other, place - 1), sp.Ge(other, place)),
        sp.Le(total, part * place),
        sp.Ge(total - 1, part * (place - 1)),
        sp.Le(part * (other - 1), total - 1),
        sp.Lt(total - 1, part * other),
    )
    steps = (
        *both_ways(place, other, "whole numbers: m <= q r and q (k - 1) <= m - 1, and so on", conditions=whole),
        Step(
            own + left * (following - own),
            margin,
            Rule.POLYNOMIAL,
            "from a margin towards the next",
            conditions=(
                sp.Ge(place, other),
                sp.Ge(other, place),
                sp.Or(sp.Ne(place, other), sp.Eq(margin, own)),
                sp.Ge(following, own),
                sp.Ge(left, 0),
            ),
            uses=(0, 1),
        ),
    )
    return Proof(steps, "any margins, any 1/q for the share", lhs=steps[-1].before, rhs=margin)


def homogeneous() -> Proof:
    """An output that is q times another: layer by layer each unit is its factor times what it was.

    y_j is what a unit gives over its factor, less what it gave; e is the largest |y_j| of a layer, from the inputs on, where it
    is 0. w_j are the weights of a unit before the rescaling and x_j = w_j y_j; the unit is given c u in place of v, so that
    u - v is the sum of the x_j, whatever its bias if that has the factor c as well. f and g are the output before and after.
    """
    here, there, product, weight, off = sp.symbols("u v x w y", real=True)
    own, times = sp.symbols("c q", positive=True)
    most = sp.Symbol("e", nonnegative=True)
    before, after = sp.symbols("f g", real=True)
    weights, apart, offsets = reals("w x y")
    (largest,) = nonnegatives("e")
    rows = nonnegatives("R")[0]
    last = TIME + 1
    sizes, total = over_all(sp.Abs(apart[INDEX])), over_all(apart[INDEX])
    row = over_all(sp.Abs(weights[INDEX]))
    bounded = over_all(sp.Abs(weights[INDEX]) * largest[last])
    each = {weight: weights[INDEX], product: apart[INDEX], off: offsets[INDEX], most: largest[last]}
    conditions = (sp.Ge(most, sp.Abs(off)), sp.Eq(product, weight * off))
    unit = (
        sp.Ge(sizes, sp.Abs(total)),
        sp.Ge(bounded, sizes),
        sp.Eq(bounded, largest[last] * row),
    )
    relu = sp.Abs(sp.Max(own * here, 0) / own - sp.Max(there, 0))
    steps = (
        Step(
            sp.Abs(here - there),
            relu,
            Rule.POLYNOMIAL,
            "a unit: ReLU takes c u to c times what it takes u to, for c > 0",
        ),
        *triangle_inequality(apart, "what the units below are off by, on the way to a unit", place=1),
        Step(sp.Abs(weight) * most, sp.Abs(product), Rule.POLYNOMIAL, "one of these", conditions=conditions),
        Step(
            bounded,
            sizes,
            Rule.SUM,
            "all of these",
            term=3,
            conditions=tuple(c.subs(each, simultaneous=True) for c in conditions),
        ),
        Step(bounded, largest[last] * row, Rule.IDENTITY, "e is the same for all"),
        Step(
            rows[last] * largest[last],
            largest[last + 1],
            Rule.POLYNOMIAL,
            "one layer more, at the unit that is off the most",
            conditions=(
                *unit,
                sp.Ge(rows[last], row),
                sp.Eq(here - there, total),
                sp.Ge(sp.Abs(here - there), relu),
                sp.Eq(largest[last + 1], relu),
            ),
            uses=(0, 2, 4, 5),
        ),
        Step(
            sp.Integer(0),
            largest[last],
            Rule.INDUCTION,
            "over the layers, from the inputs on, which are what they were",
            (rows[last] * largest[last] - largest[last + 1],),
            variable=TIME,
            factor=rows[last],
            conditions=(sp.Ge(rows[last] * largest[last], largest[last + 1]), sp.Eq(largest[1], 0)),
            uses=(6,),
        ),
        *both_ways(
            after,
            times * before,
            "at an output, of the factor q",
            conditions=(*unit, sp.Eq(after, times * (before + total)), sp.Le(largest[last], 0)),
            uses=(2, 4, 5, 7),
        ),
    )
    return Proof(steps, "networks of any depth and widths, any input", lhs=after, rhs=times * before)


def n4a() -> Proof:
    """Along a path every factor of a hidden unit comes once and is divided by once; x and u are |weight|^p of the paths.

    w_i are the weights on a path and c_i the factors of its units, 1 at both ends, where their p-th powers are B and E.
    """
    weights, factors = reals("w")[0], sp.IndexedBase("c", real=True, nonzero=True)
    first, last = sp.symbols("B E", positive=True)
    moved, kept = sp.symbols("x u", nonnegative=True)
    many, few = nonnegatives("x u")
    whole = sp.Product(factors[INDEX + 1] * weights[INDEX] / factors[INDEX], (INDEX, 1, COUNT)) * factors[1]
    path = factors[COUNT + 1] * sp.Product(weights[INDEX], (INDEX, 1, COUNT))
    ends = (sp.Eq(moved * first, last * kept), sp.Eq(first, last))
    each = {moved: many[INDEX], kept: few[INDEX]}
    of_all = tuple(end.subs(each, simultaneous=True) for end in ends)
    sides = over_all(many[INDEX]), over_all(few[INDEX])
    steps = (
        Step(
            whole,
            path,
            Rule.INDUCTION,
            "along a path",
            variable=COUNT,
            base=1,
            factor=factors[COUNT + 2] * weights[COUNT + 1] / factors[COUNT + 1],
        ),
        *both_ways(moved, kept, "the p-th powers of the sizes of both", conditions=ends, uses=(0,)),
        Step(sides[0], sides[1], Rule.SUM, "over all paths", term=1, conditions=of_all, uses=(0,)),
        Step(sides[1], sides[0], Rule.SUM, "and the other way", term=2, conditions=of_all, uses=(0,)),
    )
    return Proof(steps, f"{_ANY}, any factors but 0, any number of outputs", lhs=sides[0], rhs=sides[1])


def n4b() -> Proof:
    """The sum of multiples is the multiple of the sum."""
    weights, given = reals("w h")
    gain, offset, mean, bias = sp.symbols("g b k a", real=True)
    spread = sp.Symbol("s", positive=True)
    normed = gain * (over_all(weights[INDEX] * given[INDEX]) + bias - mean) / spread + offset
    folded = over_all(gain * weights[INDEX] / spread * given[INDEX]) + (gain * (bias - mean) / spread + offset)
    step = Step(normed, folded, Rule.IDENTITY, "linear in what the layer is given")
    return Proof((step,), "a unit with any number of inputs", lhs=normed, rhs=folded)


def n2() -> Proof:
    """A factor c of one layer's weights is a factor c^2 of each measure before the margin, and a factor c of the margin.

    F_i is a weight of the layer, a_i the weight of a path without that of the layer, b_i what multiplies its square; M and g
    are the measure times gamma^2 and gamma, x and y the same afterwards.
    """
    weights, along = reals("F a")
    heights = nonnegatives("b")[0]
    by = sp.Symbol("c", positive=True)
    measure, moved = sp.symbols("M x", nonnegative=True)
    margin, other = sp.symbols("g y", real=True, nonzero=True)
    value = sp.Symbol("v", real=True)
    squares, kept = over_all((by * weights[INDEX]) ** 2), by**2 * over_all(weights[INDEX] ** 2)
    paths, path = over_all(sp.Abs(by * along[INDEX])) ** 2, by**2 * over_all(sp.Abs(along[INDEX])) ** 2
    squared = over_all(heights[INDEX] * (by * along[INDEX]) ** 2), by**2 * over_all(heights[INDEX] * along[INDEX] ** 2)
    of_relu = sp.Max(by * value, 0), by * sp.Max(value, 0)
    steps = (
        Step(
            squares, kept, Rule.IDENTITY, "the squared Frobenius norm of the layer; likewise of its image of a vector"
        ),
        Step(paths, path, Rule.IDENTITY, "every path has one weight of the layer: the l1-path measure"),
        Step(*squared, Rule.IDENTITY, "and the l2-path measure, with 4 h_i of the layers in b"),
        *both_ways(*of_relu, "every score, and so the margin: the layers behind it hand the factor on"),
        *both_ways(
            moved / other**2,
            measure / margin**2,
            "the measure",
            conditions=(sp.Eq(moved, by**2 * measure), sp.Eq(other, by * margin)),
            uses=(0, 1, 2, 3, 4),
        ),
    )
    return Proof(steps, "all four, networks of any depth and widths", lhs=moved / other**2, rhs=measure / margin**2)

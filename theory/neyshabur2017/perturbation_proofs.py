"""Proofs of the claims of Neyshabur et al. 2017 on noise in the weights."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, both_ways, mean_of_squares, nonnegatives, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_NOISE = "any sizes, and any noise whose entries are uncorrelated and have one second moment, normal noise among it"
_NETWORKS = (
    "networks of any depth and widths, any point, and any noise that is independent between layers, of mean 0, with \
uncorrelated entries of one variance a layer"
)


def _entries() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Return the mean of ||A nu B||_F^2, the sum of B_lj^2 A_ik^2, and the product of the squared norms."""
    i, k, j, el, t = sp.symbols("i k j l t", integer=True)
    rows, left, right, columns = sp.symbols("p q r c", integer=True, positive=True)
    first, noise, second = reals("A n B")
    entry = sp.Sum(first[i, k] * noise[t, k, el] * second[el, j], (k, 1, left), (el, 1, right))
    drawn = sp.Sum(entry**2, (i, 1, rows), (j, 1, columns))
    own = sp.Sum(first[i, k] ** 2, (i, 1, rows), (k, 1, left))
    apart = sp.Sum(second[el, j] ** 2 * own, (el, 1, right), (j, 1, columns))
    norms = own * sp.Sum(second[el, j] ** 2, (el, 1, right), (j, 1, columns))
    return sp.Sum(drawn, (t, 1, COUNT)) / COUNT, apart, norms


_BIENAYME = "Bienayme, entry by entry of A nu B: a sum of uncorrelated numbers with coefficients A_ik B_lj"


def n17a() -> Proof:
    """Each entry of A nu B is a sum of uncorrelated numbers; the sum of the squares of its coefficients is a product."""
    mean, apart, norms = _entries()
    variance = sp.Symbol("s", nonnegative=True)
    return Proof(
        (
            Step(mean, variance * apart, Rule.CITED, _BIENAYME),
            Step(variance * apart, mean, Rule.CITED, f"{_BIENAYME}; and the other way"),
            Step(variance * apart, variance * norms, Rule.IDENTITY, "a product of sums"),
        ),
        _NOISE,
        lhs=mean,
        rhs=variance * norms,
    )


def n17() -> Proof:
    """N17.a, and the square of a mean is at most the mean of the squares."""
    (norm,) = nonnegatives("y")
    deviation, first, second = sp.symbols("s a b", nonnegative=True)
    mean, squares = over_all(norm[INDEX]), over_all(norm[INDEX] ** 2)
    bound = deviation * first * second
    return Proof(
        (
            mean_of_squares(norm[INDEX], "of the norms of A nu B, over all noises"),
            Step(
                COUNT * bound**2,
                squares,
                Rule.CITED,
                f"{_BIENAYME}: the mean of the squares is s^2 a^2 b^2, the steps of N17.a",
            ),
            Step(
                COUNT * bound,
                mean,
                Rule.POLYNOMIAL,
                "Jensen's inequality",
                conditions=(sp.Ge(COUNT * squares, mean**2), sp.Ge(COUNT * bound**2, squares)),
                uses=(0, 1),
            ),
            Step(bound, mean / COUNT, Rule.POLYNOMIAL, "over m", conditions=(sp.Ge(COUNT * bound, mean),), uses=(2,)),
        ),
        _NOISE,
        lhs=mean / COUNT,
        rhs=bound,
    )


def _growth() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr]:
    """Return that E||f~ - f||^2 is at most (prod (1 + c_i) - 1) |f|^2, c_i = gamma_i^2: six steps, and both sides.

    r_k is the largest of the numbers E||D_b W_b .. D_(k+1) W_(k+1) f~^k||^2 / |f^b|^2, b >= k: r[1] is r_0 = 1. At the layer
    k, of this b, F is |f^b|^2, o the numerator with k - 1 for k, and y what the noise of layer k adds to it.
    """
    width, before, mu, norm = sp.symbols("h g M w", positive=True)
    reached, kept, here, there, moment, variance = sp.symbols("F A q p u s", nonnegative=True)
    gamma, ratio = sp.symbols("c r", nonnegative=True)
    (gammas, ratios, old, added), (reach,) = nonnegatives("c r o y"), (sp.IndexedBase("F", positive=True),)
    last = COUNT + 1
    sizes, parts = width * before * reached, mu**2 * norm * kept * there
    cut = (sp.Ge(width * reached, mu * kept * here), sp.Ge(before * here, mu * norm * there))
    layer = (
        sp.Eq(ratios[last + 1] * reach[last], old[last] + added[last]),
        sp.Ge(ratios[last] * reach[last], old[last]),
        sp.Ge(gammas[last] * ratios[last] * reach[last], added[last]),
    )
    one = Step(
        (1 + gammas[last]) * ratios[last],
        ratios[last + 1],
        Rule.POLYNOMIAL,
        "one layer more: its noise is independent of what it is given, and has mean 0",
        conditions=layer,
        uses=(2,),
    )
    product = sp.Product(1 + gammas[INDEX], (INDEX, 1, COUNT))
    moved, size = sp.symbols("E f", nonnegative=True)
    end = (
        sp.Ge(product * ratios[1], ratios[last]),
        sp.Eq(ratios[1], 1),
        sp.Eq(moved + size, ratios[last] * size),
    )
    steps = (
        Step(
            sizes,
            parts,
            Rule.POLYNOMIAL,
            "C1 twice, squared, at c = k and c = k - 1: q = |f^k|^2, p = |f^(k-1)|^2, w = ||D_k W_k||_F^2, h and g the widths, "
            "M = mu^2, A the squared norm of the layers from k + 1 to b times D_k; for b = k, A is at most h, and M at most 1",
            conditions=cut,
        ),
        Step(
            gamma * reached,
            variance * kept * there,
            Rule.POLYNOMIAL,
            "gamma_k^2 = s h g / (M^2 w)",
            conditions=(sp.Eq(gamma * mu**2 * norm, variance * width * before), sp.Ge(sizes, parts)),
            uses=(0,),
        ),
        Step(
            gamma * ratio * reached,
            variance * kept * moment,
            Rule.POLYNOMIAL,
            "what the noise of layer k adds is s A E|f~^(k-1)|^2 (Lemma 3, of second moments), and u, the last factor, is at "
            "most r p",
            conditions=(sp.Ge(gamma * reached, variance * kept * there), sp.Ge(ratio * there, moment)),
            uses=(1,),
        ),
        one,
        Step(
            product * ratios[1],
            ratios[last],
            Rule.INDUCTION,
            "over the layers",
            (one.before - one.after,),
            term=3,
            conditions=(*layer, sp.Ge((1 + gammas[1]) * ratios[1], ratios[2])),
            uses=(2,),
            variable=COUNT,
            base=1,
            factor=1 + gammas[last],
        ),
        Step(
            (product - 1) * size,
            moved,
            Rule.POLYNOMIAL,
            "the mean of f~ is f, so that E = E|f~|^2 - |f|^2",
            conditions=end,
            uses=(4,),
        ),
    )
    return steps, moved, (product - 1) * size


def n15b() -> Proof:
    """Layer by layer, with the largest ratio over all ends of the network for the induction over subsets of layers."""
    steps, left, right = _growth()
    return Proof(steps, _NETWORKS, lhs=left, rhs=right)


def n15a() -> Proof:
    """N15.b, and prod (1 + g_i^2) - 1 is at most (prod (1 + g_i) - 1)^2 for numbers that are not negative."""
    steps, left, right = _growth()
    (roots,) = nonnegatives("g")
    squares = sp.IndexedBase("c", nonnegative=True)
    last = COUNT + 1
    whole = sp.Product(1 + roots[INDEX], (INDEX, 1, COUNT))
    small = sp.Product(1 + roots[INDEX] ** 2, (INDEX, 1, COUNT))
    same = sp.Product(1 + squares[INDEX], (INDEX, 1, COUNT))
    size = sp.Symbol("f", nonnegative=True)
    more = (
        Step(
            whole,
            sp.Integer(1),
            Rule.INDUCTION,
            "no factor is below 1",
            (roots[last],),
            variable=COUNT,
            base=1,
            factor=1 + roots[last],
        ),
        Step(
            whole**2,
            small,
            Rule.INDUCTION,
            "the square of a sum is at least the sum of the squares, factor by factor",
            (2 * roots[last] * whole**2,),
            variable=COUNT,
            base=1,
            factor=1 + roots[last] ** 2,
        ),
        Step(
            (whole - 1) ** 2,
            small - 1,
            Rule.INDUCTION,
            "over the layers",
            (2 * roots[last] * whole * (whole - 1), roots[last] ** 2 * (whole**2 - small)),
            conditions=(sp.Ge(whole, 1), sp.Ge(whole**2, small)),
            uses=(6, 7),
            variable=COUNT,
            base=1,
        ),
        Step(
            (whole - 1) ** 2 * size,
            right,
            Rule.POLYNOMIAL,
            "c_i = g_i^2",
            conditions=(sp.Ge((whole - 1) ** 2, small - 1), sp.Eq(small, same)),
            uses=(8,),
        ),
    )
    return Proof((*steps, *more), _NETWORKS, lhs=left, rhs=(whole - 1) ** 2 * size)


def n8a() -> Proof:
    """C_2 is the largest of the shares of units up to a size, over that size."""
    share, size, constant, threshold = sp.symbols("j y c t", nonnegative=True)
    wide = sp.Symbol("h", positive=True)
    step = Step(
        constant * threshold,
        share / wide,
        Rule.POLYNOMIAL,
        "y is the largest size up to t, and j units have no larger one: C_2 is at least j/(h y)",
        conditions=(sp.Ge(constant * wide * size, share), sp.Ge(threshold, size)),
    )
    return Proof((step,), "hidden layers of any width, and any number of them", lhs=share / wide, rhs=step.before)


def n16a() -> Proof:
    """A unit that switches is given no more than its input changes by, and C2 counts such units."""
    given, own, other = sp.symbols("z a b", real=True)
    switched, counted, most = sp.symbols("Q J t", nonnegative=True)
    values, (flags, marks) = reals("z")[0], nonnegatives("Q J")
    constant, width, size = sp.symbols("c h y", nonnegative=True)
    crossed = sp.Or(sp.And(given > 0, given + own + other <= 0), sp.And(given <= 0, given + own + other > 0))
    each = (
        sp.Or(sp.Eq(switched, 0), sp.And(sp.Eq(switched, 1), sp.Ge(most, sp.Abs(given)))),
        sp.Or(sp.Eq(counted, 1), sp.And(sp.Eq(counted, 0), sp.Gt(sp.Abs(given), most))),
    )
    at = {switched: flags[INDEX], counted: marks[INDEX], given: values[INDEX]}
    total, small = over_all(flags[INDEX]), over_all(marks[INDEX])
    return Proof(
        (
            Step(
                sp.Abs(own) + sp.Abs(other),
                sp.Abs(given),
                Rule.POLYNOMIAL,
                "a unit switches: a from the noise on its weights, b from what it is given",
                conditions=(crossed,),
            ),
            Step(
                counted,
                switched,
                Rule.POLYNOMIAL,
                "t is the largest |a| + |b|: who switches, Q = 1, is among those with |z| <= t, J = 1",
                conditions=each,
                uses=(0,),
            ),
            Step(
                small,
                total,
                Rule.SUM,
                "over the units of the level",
                term=1,
                conditions=tuple(condition.subs(at, simultaneous=True) for condition in each),
                uses=(0,),
            ),
            Step(
                constant * width * most,
                total,
                Rule.POLYNOMIAL,
                "C_2 h y is at least the number of units with |z| <= t, y the largest of their |z|",
                conditions=(sp.Ge(constant * width * size, small), sp.Ge(most, size), sp.Ge(small, total)),
                uses=(2,),
            ),
        ),
        "any network, point, level and perturbation of the weights, random or not",
        lhs=total,
        rhs=constant * width * most,
    )


def effects() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr]:
    """Return that E|f~^i - f^i|^2 is at most a_i^2: seven steps, the left side x[m]^2, and the right one a[m]^2, m = i + 1.

    q_i is ||W_i||_2^2, n_i is s_i^2 h_i, p_i is |f^(i-1)|, and e the changes before the ReLU; k is 1/(a + x), any number if
    both are 0.
    """
    here, there = sp.symbols("u v", real=True)
    values, others = reals("u v")
    before, after = (here - there) ** 2, (sp.Max(here, 0) - sp.Max(there, 0)) ** 2
    bounds, roots, norms, noise, size, share = nonnegatives("a x q n p k")
    norm, root, moved, length, moment, added = sp.symbols("q x e p u n", nonnegative=True)
    crossed = sp.Symbol("c", real=True)
    last = COUNT + 1
    grown = norms[last] * bounds[COUNT] ** 2 + noise[last] * (size[last] + bounds[COUNT]) ** 2
    reached = norms[last] * roots[COUNT] ** 2 + noise[last] * (size[last] + roots[COUNT]) ** 2
    gap = bounds[COUNT] - roots[COUNT]
    doubled = 2 * noise[last] * size[last]
    conditions = (
        sp.Eq(bounds[last] ** 2, grown),
        sp.Ge(reached, roots[last] ** 2),
        sp.Eq(gap * (1 - share[COUNT] * (bounds[COUNT] + roots[COUNT])), 0),
        sp.Eq(bounds[1], 0),
        sp.Eq(roots[1], 0),
    )
    steps = (
        Step(before, after, Rule.POLYNOMIAL, "one unit: the ReLU moves no two values apart"),
        summed(before, after, {here: values[INDEX], there: others[INDEX]}, "over all units of a layer", term=0),
        Step(
            norm * root**2,
            moved,
            Rule.CITED,
            "Rayleigh and Ritz, at each noise: ||W_i||_2 lengthens no vector by more; e is E|W_i (f~ - f)|^2",
        ),
        Step(
            length * root,
            crossed,
            Rule.CITED,
            "Cauchy and Schwarz, of means over the noise: c is E<f, f~ - f>",
        ),
        Step(
            (length + root) ** 2,
            moment,
            Rule.POLYNOMIAL,
            "u is E|f~|^2",
            conditions=(sp.Eq(moment, length**2 + 2 * crossed + root**2), sp.Ge(length * root, crossed)),
            uses=(3,),
        ),
        Step(
            norm * root**2 + added * (length + root) ** 2,
            moved + added * moment,
            Rule.POLYNOMIAL,
            "the noise of a layer has mean 0 and is independent of what the layer is given, so that by N17.a the change before "
            "the ReLU has the mean square e + n u",
            conditions=(sp.Ge(norm * root**2, moved), sp.Ge((length + root) ** 2, moment)),
            uses=(2, 4),
        ),
        Step(
            bounds[COUNT] ** 2,
            roots[COUNT] ** 2,
            Rule.INDUCTION,
            "over the layers",
            (
                bounds[last] ** 2 - grown,
                reached - roots[last] ** 2,
                doubled * gap * (1 - share[COUNT] * (bounds[COUNT] + roots[COUNT])),
            ),
            conditions=conditions,
            uses=(1, 5),
            variable=COUNT,
            base=1,
            factor=norms[last] + noise[last] + doubled * share[COUNT],
        ),
    )
    return steps, roots[COUNT] ** 2, bounds[COUNT] ** 2


def n18a() -> Proof:
    """At each datum E|f~ - f| is at most a_d; a Lipschitz loss multiplies by its constant, and the loss is a mean."""
    steps, _, _ = effects()
    moved, limits = nonnegatives("e A")
    constant, change = sp.symbols("C Y", nonnegative=True)
    count = sp.Symbol("N", integer=True, positive=True)
    changes, bounds = (sp.Sum(of[INDEX], (INDEX, 1, count)) for of in (moved, limits))
    (norm,) = nonnegatives("y")
    limit, at_one = sp.symbols("A e", nonnegative=True)
    more = (
        mean_of_squares(norm[INDEX], "Jensen's inequality: over the noises, of |f~ - f| at one datum"),
        Step(
            limit,
            at_one,
            Rule.POLYNOMIAL,
            "at one datum: A is a_d there, and e is E|f~ - f|",
            conditions=(sp.Ge(limit**2, at_one**2),),
            uses=(6, 7),
        ),
        Step(
            bounds,
            changes,
            Rule.SUM,
            "over the data",
            term=8,
            conditions=(sp.Ge(limits[INDEX] ** 2, moved[INDEX] ** 2),),
            uses=(6, 7),
        ),
        Step(
            constant * bounds / count,
            change,
            Rule.POLYNOMIAL,
            "the loss is a mean over the data, and moves by C_L |f~ - f| at most at each",
            conditions=(sp.Ge(constant * changes, count * change), sp.Ge(bounds, changes)),
            uses=(9,),
        ),
    )
    return Proof((*steps, *more), _NETWORKS, lhs=change, rhs=constant * bounds / count)


def n19a() -> Proof:
    """Depth enters the second term as the root of d^3, and the first not at all."""
    times, power = sp.symbols("k q", positive=True)
    first, second, whole, rest, sharp = sp.symbols("T U a l S", nonnegative=True)
    terms = (
        sp.Eq(first**2, whole + rest),
        sp.Eq(second**2, times**3 * whole + rest),
        sp.Eq(power**2, times**3),
        sp.Ge(times, 1),
    )
    return Proof(
        (
            Step(times**3, sp.Integer(1), Rule.POLYNOMIAL, "k >= 1", conditions=(sp.Ge(times, 1),)),
            Step(
                power**2 * first**2,
                second**2,
                Rule.POLYNOMIAL,
                "a is (d^3 h^2/(mu^4 sigma^2))/m, and l is ln(2m/delta)/m",
                conditions=(*terms, sp.Ge(times**3, 1)),
                uses=(0,),
            ),
            Step(
                power * first,
                second,
                Rule.POLYNOMIAL,
                "roots of it",
                conditions=(sp.Ge(power**2 * first**2, second**2),),
                uses=(1,),
            ),
            Step(
                power,
                sp.Integer(1),
                Rule.POLYNOMIAL,
                "q = k^(3/2)",
                conditions=(sp.Eq(power**2, times**3), sp.Ge(times**3, 1)),
                uses=(0,),
            ),
            Step(
                power * (sharp + first),
                sharp + second,
                Rule.POLYNOMIAL,
                "both terms",
                conditions=(sp.Ge(power * first, second), sp.Ge(power, 1)),
                uses=(2, 3),
            ),
        ),
        "equal widths, any depth, and any integer k",
        lhs=sharp + second,
        rhs=power * (sharp + first),
    )


def n21a() -> Proof:
    """Count matrix by matrix."""
    layers = sp.Symbol("L", integer=True, positive=True)
    biases = sp.Symbol("b", real=True)
    count = 784 * 1000 + (layers - 1) * 1000**2 + 1000 * 10 + biases * (1000 * layers + 10)
    more, eleven = sp.Gt(count, 10**7), sp.Ge(layers, 11)
    return Proof(
        both_ways(
            more,
            eleven,
            "ten layers have fewer, and eleven more",
            (sp.Or(sp.Eq(biases, 0), sp.Eq(biases, 1)), sp.Or(layers <= 10, layers >= 11)),
        ),
        "any number of hidden layers, with biases or without",
        lhs=more,
        rhs=eleven,
    )

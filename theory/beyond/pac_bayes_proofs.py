"""Proofs of the claims on expected sharpness (B18) and on PAC-Bayes with a list of priors (B19)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import reals
from theory.proof import Proof, Rule, Step

_draw, _output, _unit, _prior = sp.symbols("t i j g", integer=True)
_draws, _outputs, _units, _priors = (sp.Symbol(name, integer=True, positive=True) for name in ("m", "k", "h", "G"))
_sets = sp.Symbol("n", integer=True, nonnegative=True)


def b18() -> Proof:
    """Multiply out; f is the residual, z the change of the output, p = W x, X = |x|^2, a and b the variances."""
    residuals, changes, outer, masks, inner = reals("f z V D p")
    size, first, second = sp.symbols("X a b", nonnegative=True)

    def over_outputs(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (_output, 1, _outputs))

    def over_units(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (_unit, 1, _units))

    def mean(term: sp.Expr) -> sp.Expr:
        return sp.Sum(over_outputs(term), (_draw, 1, _draws)) / _draws

    f, z, v, d, p = residuals[_output], changes[_draw, _output], outer[_output, _unit], masks[_unit], inner[_unit]
    lhs = mean((f + z) ** 2) - mean(f**2)
    crossed = mean(2 * f * z) + mean(z**2)
    each = over_outputs(over_units(d * (first * size * v**2 + second * p**2 + second * first * size)))
    rhs = (
        first * size * over_outputs(over_units(d * v**2))
        + second * over_outputs(over_units(d * p**2))
        + second * first * size * over_outputs(over_units(d))
    )
    because = (
        "Bienayme: z_i is the sum over the active units of V n, beta p and beta n, where n = nu x has variance s_1^2 |x|^2; "
        "these are uncorrelated and of mean 0"
    )
    sizes = "two layers"
    return Proof(
        (
            Step(lhs, crossed, Rule.IDENTITY, "the square of each residual", sizes=sizes),
            Step(crossed, each, Rule.CITED, because, sizes=sizes),
            Step(each, crossed, Rule.CITED, f"{because}; and the other way", sizes=sizes),
            Step(
                each,
                rhs,
                Rule.IDENTITY,
                "its three parts: tr S_2 - |f_w(x)|^2, with S_1 = D (p p^T + s_1^2 |x|^2 I) D",
                sizes=sizes,
            ),
        ),
        "two layers of any widths, any patterns, noise of these moments; more layers are tried, not proved",
        lhs=lhs,
        rhs=rhs,
    )


def b19() -> Proof:
    """Markov for each prior, and a union over the priors; w are the probabilities of the training sets, s is delta/G."""
    weight, indicator, power, chance, moment = sp.symbols("w I X P Z", nonnegative=True)
    delta, part = sp.symbols("d s", positive=True)
    samples = sp.Symbol("m", integer=True, positive=True)
    weights, fails, powers, failed, chances, moments = (
        sp.IndexedBase(name, nonnegative=True) for name in ("w", "I", "X", "F", "P", "Z")
    )
    root = 2 * sp.sqrt(samples)
    level = root / part

    def over_sets(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (_draw, 1, _sets))

    def over_priors(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (_prior, 1, _priors))

    exceeds = sp.Ge(power, level * indicator)
    one = {weight: weights[_draw], power: powers[_draw, 1], indicator: fails[_draw, 1]}
    markov = (sp.Ge(moment, level * chance), sp.Ge(root, moment))
    every = {chance: chances[_prior], moment: moments[_prior]}
    new = over_priors(fails[_sets + 1, _prior])
    met = sp.Ge(new, failed[_sets + 1])
    double = over_priors(over_sets(weights[_draw] * fails[_draw, _prior]))
    swapped = over_sets(weights[_draw] * over_priors(fails[_draw, _prior]))
    lhs = over_sets(weights[_draw] * failed[_draw])
    return Proof(
        (
            Step(
                powers[1, 1],
                level * fails[1, 1],
                Rule.CITED,
                "Donsker and Varadhan, on the first training set, for the first prior, and likewise for all others: where the "
                "bound fails for a posterior, the mean X of exp(m kl) over the prior is above 2 sqrt(m) G/delta, as "
                "kl is convex",
            ),
            Step(
                weight * power,
                weight * level * indicator,
                Rule.POLYNOMIAL,
                "one training set",
                conditions=(exceeds,),
                uses=(0,),
            ),
            Step(
                over_sets((weight * power).subs(one, simultaneous=True)),
                over_sets((weight * level * indicator).subs(one, simultaneous=True)),
                Rule.SUM,
                "Markov, for the first prior and likewise for every other",
                term=1,
                conditions=(exceeds.subs(one, simultaneous=True),),
                uses=(0,),
            ),
            Step(
                root,
                over_sets(weights[_draw] * powers[_draw, 1]),
                Rule.CITED,
                "Maurer 2004, Theorem 1, and for m < 8 by the sum itself: for a loss in [0, 1] the mean over the training sets "
                "of exp(m kl(L^ || L)) is at most 2 sqrt m, of each predictor and so over a prior that does not depend on them",
            ),
            Step(
                part,
                chance,
                Rule.POLYNOMIAL,
                "the probability P that the bound fails for a prior",
                conditions=markov,
                uses=(2, 3),
            ),
            Step(
                over_priors(part),
                over_priors(chances[_prior]),
                Rule.SUM,
                "over all priors",
                term=4,
                conditions=tuple(condition.subs(every, simultaneous=True) for condition in markov),
                uses=(2, 3),
            ),
            Step(over_priors(part), _priors * part, Rule.INDUCTION, "the same for each", variable=_priors, base=1),
            Step(
                delta,
                over_priors(part),
                Rule.POLYNOMIAL,
                "s = delta/G",
                conditions=(sp.Eq(delta, _priors * part), sp.Eq(over_priors(part), _priors * part)),
                uses=(6,),
            ),
            Step(double, swapped, Rule.INDUCTION, "by training sets", variable=_sets, base=0),
            Step(
                weights[_sets + 1] * new,
                weights[_sets + 1] * failed[_sets + 1],
                Rule.POLYNOMIAL,
                "a training set on which it fails for some prior is counted once at least",
                conditions=(met,),
            ),
            Step(
                swapped,
                lhs,
                Rule.INDUCTION,
                "over all training sets",
                (weights[_sets + 1] * new - weights[_sets + 1] * failed[_sets + 1],),
                term=9,
                conditions=(met,),
                variable=_sets,
                base=0,
            ),
            Step(
                over_priors(chances[_prior]),
                lhs,
                Rule.POLYNOMIAL,
                "P_g is the probability of the training sets on which it fails for P_g",
                conditions=(sp.Eq(over_priors(chances[_prior]), double), sp.Eq(double, swapped), sp.Ge(swapped, lhs)),
                uses=(8, 10),
            ),
        ),
        "any finite set of predictors, data and list of priors; all posteriors by Donsker and Varadhan",
        lhs=lhs,
        rhs=delta,
    )


def b19a() -> Proof:
    """Pinsker: kl(q || p) >= 2 (p - q)^2."""
    trained, loss, limit = sp.symbols("q p C", nonnegative=True)
    gap = 2 * (loss - trained) ** 2
    return Proof(
        (
            Step(limit, gap, Rule.CITED, "Pinsker's inequality: C >= kl(q || p) >= 2 (p - q)^2"),
            Step(
                trained + sp.sqrt(limit / 2),
                loss,
                Rule.POLYNOMIAL,
                "the root of both sides",
                conditions=(sp.Ge(limit, gap),),
                uses=(0,),
            ),
        ),
        "any q, p and C",
        lhs=trained + sp.sqrt(limit / 2),
        rhs=loss,
    )

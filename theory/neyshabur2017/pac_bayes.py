"""Neyshabur et al. 2017 on PAC-Bayes: N7, eqs (5) to (8), and N20, the divergence that Fig 2 shows."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory.checks import Array, chance, count, exact_sequence, nonnegative, positive, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, exponential
from theory.neyshabur2017 import pac_bayes_proofs as proofs
from theory.neyshabur2017.pac_bayes_bounds import (
    IN_UNIT_INTERVAL,
    complexity,
    gaussian_divergence,
    log_of,
    mcallester_bound,
)
from theory.sources import NEYSHABUR2017, Source
from theory.symbols import Symbol


def _samples(name: str, value: object) -> int:
    return count(name, value, fewest=2)


def deviations(name: str, value: object) -> Array:
    """Return standard deviations as rationals, at least one, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or one is not finite or not above 0.
    """
    numbers = exact_sequence(name, value)
    for number in numbers:
        positive(name, number)
    return numbers


TRAINING_SIZE = Symbol("samples", "m", "the number of training data, at least 2", _samples)
CONFIDENCE = Symbol("delta", r"\delta", "the probability that the bound may fail", lambda n, v: Fraction(chance(n, v)))
DIVERGENCE = Symbol(
    "divergence", "KL", "of the perturbed weights from the prior, at least 0", lambda n, v: Fraction(nonnegative(n, v))
)
EXPECTED_TRAINING_LOSS = Symbol(
    "expected_training_loss",
    r"\mathbb E\hat L",
    "of f_{w+nu}, at least 0",
    lambda n, v: Fraction(nonnegative(n, v)),
)
TRAINING_LOSS = Symbol("training_loss", r"\hat L", "of f_w, at least 0", lambda n, v: Fraction(nonnegative(n, v)))
EXPECTED_LOSS = Symbol(
    "expected_loss", r"\mathbb E L", "of f_{w+nu}, at least 0", lambda n, v: Fraction(nonnegative(n, v))
)
PERTURBED_WEIGHTS = Symbol("weights", "w", "the weights, rationals, [n]", exact_sequence)
NOISE_DEVIATIONS = Symbol(
    "deviations", r"\sigma_i", "standard deviations of the perturbation, above 0, [n]", deviations
)
PRIOR_DEVIATION = Symbol(
    "prior_deviation", "p", "standard deviation of the prior, above 0", lambda n, v: Fraction(positive(n, v))
)
NOISE_ALPHA = Symbol("alpha", r"\alpha", "size of the perturbation, above 0", lambda n, v: Fraction(positive(n, v)))
NOISE_BETA = Symbol(
    "beta", r"\beta", "standard deviation at weight 0, at least 0", lambda n, v: Fraction(nonnegative(n, v))
)
EQUAL_POINTS = Symbol("points", "N", "number of equally likely points", count)


def within_mcallester(given: Instance) -> bool:
    """Return whether the expected loss satisfies eq (5) for certain: E L <= E L^ + sqrt(E L^ K) + K."""
    m, loss = given["samples"], given["expected_training_loss"]
    k = Fraction(complexity(given["divergence"], m, given["delta"]).lower) * 2 / (m - 1)
    rest = given["expected_loss"] - loss - k
    return bool(rest <= 0 or rest**2 <= loss * k)


def losses(given: Instance) -> tuple[Fraction, ...]:
    """Return the mean losses of an instance of N7."""
    return (given["training_loss"], given["expected_training_loss"], given["expected_loss"])


def _mcallester_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    m, before = given["samples"], given["training_loss"]
    sharpness = given["expected_training_loss"] - before
    root = complexity(given["divergence"], m, given["delta"]).times(Fraction(1, m)).root()
    return Enclosure.exactly(given["expected_loss"]), Enclosure.exactly(before + sharpness) + root.times(Fraction(4))


def _reads_mcallester(given: Instance) -> dict[str, Any]:
    m = given["samples"]
    return {
        "p": given["expected_loss"],
        "q": given["expected_training_loss"],
        "b": given["training_loss"],
        "A": Fraction(complexity(given["divergence"], m, given["delta"]).lower),
        "m": m,
    }


def mean_log_ratio(mean: Fraction, deviation: Fraction, prior: Fraction) -> Fraction:
    """Return the mean over theta from N(mean, s^2) of theta^2/(2p^2) - (theta - mean)^2/(2s^2), ln(p/s) short of ln dQ/dP.

    A polynomial of degree 2 in theta, whose mean is that over mean - s and mean + s, equally likely.
    """
    at = [
        (mean + sign * deviation) ** 2 / (2 * prior**2) - (sign * deviation) ** 2 / (2 * deviation**2)
        for sign in (-1, 1)
    ]
    return sum(at, Fraction(0)) / 2


def divergence_by_moments(weights: Array, sigma: Array) -> Fraction:
    """Return KL(N(w, diag s_i^2) || N(0, diag s_i^2)), by the mean of the logarithm of the densities' ratio."""
    return sum((mean_log_ratio(w, s, s) for w, s in zip(weights, sigma, strict=True)), Fraction(0))


def half_squares(weights: Array, sigma: Array) -> Fraction:
    """Return sum_i w_i^2/(2 sigma_i^2)."""
    return sum((w**2 / (2 * s**2) for w, s in zip(weights, sigma, strict=True)), Fraction(0))


def _divergence_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    w, sigma = given["weights"], given["deviations"]
    return Enclosure.exactly(divergence_by_moments(w, sigma)), Enclosure.exactly(half_squares(w, sigma))


def _reads_divergence(given: Instance) -> dict[str, Any]:
    return {"m": len(given["weights"]), "w": given["weights"], "s": given["deviations"]}


def log_ratios(given: Instance) -> Enclosure:
    """Return sum_i ln(p/sigma_i)."""
    logs = [log_of(given["prior_deviation"] / s) for s in given["deviations"]]
    return sum(logs, Enclosure.exactly(Fraction(0)))


def closed_form(given: Instance) -> Fraction:
    """Return sum_i (w_i^2 + sigma_i^2)/(2 p^2) - 1/2."""
    pairs = zip(given["weights"], given["deviations"], strict=True)
    terms = ((w**2 + s**2) / (2 * given["prior_deviation"] ** 2) - Fraction(1, 2) for w, s in pairs)
    return sum(terms, Fraction(0))


def _fixed_prior_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    prior, logs = given["prior_deviation"], log_ratios(given)
    pairs = zip(given["weights"], given["deviations"], strict=True)
    by_moments = sum((mean_log_ratio(w, s, prior) for w, s in pairs), Fraction(0))
    return Enclosure.exactly(by_moments) + logs, Enclosure.exactly(closed_form(given)) + logs


def _reads_fixed_prior(given: Instance) -> dict[str, Any]:
    logs = [log_of(given["prior_deviation"] / s) for s in given["deviations"]]
    return {**_reads_divergence(given), "p": given["prior_deviation"], "l": [Fraction(log.midpoint) for log in logs]}


def _lookup_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return both sides of eq (8), the divergence as printed for sigma = alpha |w| + beta, for a learner with one weight.

    The subsets of the N points, numbered from 1, are the predictors: f_w errs outside the subset of the number k with
    2^(k - 1/2) < |w| < 2^(k + 1/2). The learner sets w = 2^k for the subset of its training data. As long as the
    perturbation is at most (1 - 2^(-1/2)) w the predictor is the same, and that fails with a probability of at most
    2 exp(-t^2/2), t = (1 - 2^(-1/2)) w/sigma (the tail of a Gaussian).
    """
    m, points, weight = given["samples"], given["points"], Fraction(2)  # the least that the learner chooses
    deviation = given["alpha"] * weight + given["beta"]
    t = Fraction(29, 100) * weight / deviation
    tail = min(Fraction(1), Fraction(exponential(-(t**2) / 2).upper) * 2)
    fresh = max(Fraction(0), 1 - Fraction(m, points))
    loss = Enclosure(fresh * (1 - tail), Fraction(1))
    divergence = Enclosure(weight**2 / (2 * deviation**2), 1 / (2 * given["alpha"] ** 2))
    terms = [
        complexity(Fraction(end), m, given["delta"]).times(Fraction(1, m)).root()
        for end in (divergence.lower, divergence.upper)
    ]
    bound = Enclosure(terms[0].lower, terms[1].upper).times(Fraction(4)) + Enclosure(Fraction(0), tail)
    return loss, bound


def figure_deviations(given: Instance) -> Array:
    """Return alpha (10 |w_i| + 1), the standard deviations of appendix A."""
    return rationals([given["alpha"] * (10 * abs(w) + 1) for w in given["weights"]])


def weighted_squares(given: Instance) -> Fraction:
    """Return (1/alpha^2) sum_i (w_i/(10 |w_i| + 1))^2."""
    terms = ((w / (10 * abs(w) + 1)) ** 2 for w in given["weights"])
    return Fraction(sum(terms, Fraction(0)) / given["alpha"] ** 2)


def _printed_figure_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    divergence = divergence_by_moments(given["weights"], figure_deviations(given))
    return Enclosure.exactly(divergence), Enclosure.exactly(weighted_squares(given))


def _figure_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    divergence = divergence_by_moments(given["weights"], figure_deviations(given))
    return Enclosure.exactly(divergence), Enclosure.exactly(weighted_squares(given) / 2)


def _saturation_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    divergence = divergence_by_moments(given["weights"], figure_deviations(given))
    return Enclosure.exactly(divergence), Enclosure.exactly(
        Fraction(len(given["weights"])) / (200 * given["alpha"] ** 2)
    )


def _reads_figure(given: Instance) -> dict[str, Any]:
    return {"m": len(given["weights"]), "w": given["weights"], "a": given["alpha"]}


N7 = Claim(
    id="N7",
    source=Source(NEYSHABUR2017, "Section 2.4, eqs (5) to (7)"),
    statement=r"K = \tfrac{2 (KL + \ln\frac{2m}\delta)}{m - 1},\ \mathbb E L \le \mathbb E\hat L + \sqrt{\mathbb E\hat "
    r"L\, K} + K \ \Rightarrow\ \mathbb E L \le \hat L + (\mathbb E\hat L - \hat L) + 4 \sqrt{\tfrac1m \big(KL + "
    r"\ln\tfrac{2m}\delta\big)}",
    form=Form.AT_MOST,
    symbols=(TRAINING_SIZE, CONFIDENCE, DIVERGENCE, TRAINING_LOSS, EXPECTED_TRAINING_LOSS, EXPECTED_LOSS),
    assumptions=(
        Assumption.that(IN_UNIT_INTERVAL, losses),
        Assumption("(5) holds", within_mcallester, bool),
    ),
    sides=_mcallester_sides,
    bound=mcallester_bound,
    bound_on=lambda given: mcallester_bound(
        given["expected_training_loss"], given["divergence"], given["samples"], given["delta"]
    ),
    proof=proofs.n7,
    reads=_reads_mcallester,
    finding=Finding.AS_PRINTED,
    note="(5) itself is McAllester's, and is not shown here. (7) is (6) with the expected sharpness, of either sign, "
    "taken apart; it bounds the loss of the perturbed predictor and says nothing of f_w. The 4 is generous: 4/sqrt 3 "
    "would do for every m >= 2, and 1/sqrt 2 follows from Maurer's form of the inequality that (5) is derived from (B19, "
    "B19.a).",
    reading="Of a loss in [0, 1], as 'upper bounding the loss in the second term by 1' says, and m >= 2, for which (5) "
    "is defined; the root in (5) over E L^ K alone.",
    no_extremal="the 4 is generous",
)

N7A = Claim(
    id="N7.a",
    amends="N7",
    source=Source(NEYSHABUR2017, "Section 2.4, eq (8) and the formula after it"),
    statement=r"KL\big(N(w, \operatorname{diag} \sigma_i^2)\, \|\, N(0, \operatorname{diag} \sigma_i^2)\big) = "
    r"\sum_i \tfrac{w_i^2}{2 \sigma_i^2}",
    form=Form.IDENTITY,
    symbols=(PERTURBED_WEIGHTS, NOISE_DEVIATIONS),
    sides=_divergence_sides,
    proof=proofs.n7a,
    reads=_reads_divergence,
    finding=Finding.AS_PRINTED,
    note="With all sigma_i = sigma it is |w|^2/(2 sigma^2), the term of (8). A formula for two given Gaussians: "
    "whether the second may be the prior of a PAC-Bayes bound is another question (N7.b). In (8) sigma must be fixed before "
    "training; 'choosing sigma appropriately' among G values afterwards costs ln G (B19).",
    extremal=Instance({"weights": rationals([1, -2]), "deviations": rationals([1, 2])}, "named"),
)

N7B = Claim(
    id="N7.b",
    amends="N7",
    source=Source(NEYSHABUR2017, "Section 2.4, after eq (8)"),
    statement=r"\sigma_i = \alpha |w_i| + \beta,\ \text{with probability } 1 - \delta:\quad \mathbb E L \le \mathbb E\hat L + "
    r"4 \sqrt{\tfrac1m \Big(\sum_i \tfrac{w_i^2}{2 \sigma_i^2} + \ln\tfrac{2m}\delta\Big)}",
    form=Form.AT_MOST,
    symbols=(TRAINING_SIZE, CONFIDENCE, NOISE_ALPHA, NOISE_BETA, EQUAL_POINTS),
    sides=_lookup_sides,
    finding=Finding.FALSE,
    note="The term is the divergence from N(0, diag sigma_i^2), which depends on w and so on the training set, where "
    "the bound asks for a prior that does not. It is at most n/(2 alpha^2) however much is learned. The witness: one "
    "weight, whose binary exponent names a subset of N points; the learner names its training set and errs elsewhere, "
    "on every draw. With a fixed prior the term is N7.c's, and with one of a fixed list B19 holds.",
    quote="if sigma_i = alpha |w_i| + beta, then the KL term in the above expression changes to sum_i w_i^2/(2 sigma_i^2)",
    reading="That (8) is a guarantee with this term too, as 'the above generalization guarantees' after it says, for "
    "alpha > 0.",
    witness=Instance(
        {"samples": 10**4, "delta": Fraction(1, 2), "alpha": Fraction(1, 10), "beta": Fraction(0), "points": 10**5},
        "named",
    ),
    no_extremal="refuted",
)

N7C = Claim(
    id="N7.c",
    amends="N7",
    source=Source(NEYSHABUR2017, "Section 2.4, after eq (8), repaired"),
    statement=r"KL\big(N(w, \operatorname{diag} \sigma_i^2)\, \|\, N(0, p^2 I)\big) = "
    r"\sum_i \tfrac{w_i^2 + \sigma_i^2}{2 p^2} - \tfrac12 + \ln\tfrac p{\sigma_i}",
    form=Form.IDENTITY,
    symbols=(PERTURBED_WEIGHTS, NOISE_DEVIATIONS, PRIOR_DEVIATION),
    sides=_fixed_prior_sides,
    bound=gaussian_divergence,
    bound_on=lambda given: gaussian_divergence(given["weights"], given["deviations"], given["prior_deviation"]),
    proof=proofs.n7c,
    reads=_reads_fixed_prior,
    finding=Finding.OURS,
    note="The sigma_i may depend on w, and p must not. It grows without bound in each |w_i|, whatever the sigma_i.",
    extremal=Instance(
        {"weights": rationals([3, 4]), "deviations": rationals([2, 2]), "prior_deviation": Fraction(2)}, "named"
    ),
)

N20 = Claim(
    id="N20",
    source=Source(NEYSHABUR2017, "Appendix A, and the caption of Figure 2"),
    statement=r"\sigma_i = \alpha (10 |w_i| + 1):\quad KL = \tfrac1{\alpha^2} \sum_i \Big(\tfrac{w_i}{10 |w_i| + 1}\Big)^2",
    form=Form.IDENTITY,
    symbols=(PERTURBED_WEIGHTS, NOISE_ALPHA),
    sides=_printed_figure_sides,
    finding=Finding.FALSE,
    note="Twice the divergence, by the paper's own formula after (8): the 1/2 is missing. All curves of KL move by one "
    "factor, and their order stays.",
    quote="For each value of alpha the KL divergence can be calculated as 1/alpha^2 sum_i (w_i/(10|w_i|+1))^2",
    reading="As the divergence of the formula after (8), with these sigma_i.",
    witness=Instance({"weights": rationals([1]), "alpha": Fraction(1)}, "named"),
    no_extremal="refuted",
)

N20A = Claim(
    id="N20.a",
    amends="N20",
    source=Source(NEYSHABUR2017, "Appendix A, repaired"),
    statement=r"\sigma_i = \alpha (10 |w_i| + 1):\quad "
    r"KL = \tfrac1{2\alpha^2} \sum_i \Big(\tfrac{w_i}{10 |w_i| + 1}\Big)^2",
    form=Form.IDENTITY,
    symbols=(PERTURBED_WEIGHTS, NOISE_ALPHA),
    sides=_figure_sides,
    proof=proofs.n20a,
    reads=_reads_figure,
    finding=Finding.OURS,
    note="From the Gaussian with the same variances around 0, which is no prior (N7.b): what Figure 2 plots is in no "
    "bound of the paper.",
    extremal=Instance({"weights": rationals([0, 1]), "alpha": Fraction(1, 2)}, "named"),
)

N20B = Claim(
    id="N20.b",
    amends="N20",
    source=Source(NEYSHABUR2017, "Appendix A, the size of the divergence"),
    statement=r"\sigma_i = \alpha (10 |w_i| + 1):\quad KL \le \tfrac n{200 \alpha^2}",
    form=Form.AT_MOST,
    symbols=(PERTURBED_WEIGHTS, NOISE_ALPHA),
    sides=_saturation_sides,
    proof=proofs.n20b,
    reads=_reads_figure,
    finding=Finding.OURS,
    note="For all weights whatever. 'Nothing but weighted l2 norm' is so for given weights of the norm (and for its "
    "square); as the weights of the norm change with w it is no norm of w: it does not grow with the scale, and at "
    "large weights counts them.",
    no_extremal="approached as all |w_i| grow",
)

CLAIMS = (N7, N7A, N7B, N7C, N20, N20A, N20B)

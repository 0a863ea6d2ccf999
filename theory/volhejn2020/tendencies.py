"""What the thesis says that its experiments show, V15 to V17, V19, V20, V22 and V24, as tendencies over networks and data sets.

How low a measure is kept is read on the thesis's own scale: a penalty took a tenth off the second-order measures, and it
counts them as kept low; it took more than that off the others, and it excludes them (section 4.4.5).
"""

from __future__ import annotations

from fractions import Fraction

from theory.claim import Claim, Finding, Form
from theory.sources import VOLHEJN2020, Source
from theory.tendency import TAU, TESTS, UNDEFINED, against, effects_of

MEASURED = "what networks end in is measured, not derived"

NOTHING = Fraction(0)
"""No effect."""

STRONG = Fraction(1, 2)
"""The tau_b from which on a correlation is read as strong: of four pairs at least three are ordered alike."""

TENTH = Fraction(1, 10)
"""The part of a measure that a penalty may take off before it counts as not kept low (Table 4.4)."""

NEAR = 1 / (1 - TENTH)
"""How far above its least value a measure is then, as a factor."""

ONE_D, DIGITS, PENALISED, SMOOTHEST = (
    f"experiments.{study}"
    for study in ("training_set_size_1d", "training_set_size_mnist", "explicit_regularization", "smoothest_on_digits")
)

ABOVE_LEAST = effects_of(
    "second_order_above_least",
    r"S(f_i) / \min S",
    "a second-order measure of a trained network over the least value that a function with the same values at the training "
    "points can have, or its inverse if larger: the median over the networks of a data set",
    within=(1, None),
)

V15 = Claim(
    id="V15",
    source=Source(VOLHEJN2020, "sections 4.4.5 and 4.5"),
    statement=r"\text{a second-order measure is kept near its least value:}\quad "
    r"\operatorname{med}_i S(f_i) / \min S \le \tfrac{10}9",
    form=Form.AT_MOST,
    symbols=(ABOVE_LEAST, UNDEFINED, TESTS),
    sides=against(ABOVE_LEAST, NEAR),
    finding=Finding.AS_PRINTED,
    note="The thesis says 'might', which no row refutes; what is decided is whether it may on these data, in one dimension, "
    "where the least value is known (V7). From small weights; from the usual ones it is not so (V15.a), nor on digits (V19.c). "
    "Least among functions with the network's own values at the training points, not with the targets: training stops above "
    "loss 0.",
    reading="'Implicitly regularized' as kept within a factor 10/9 of the least value that the data allow, for the thesis "
    "counts what a penalty lowers by a tenth as kept low.",
    no_extremal=MEASURED,
    study=ONE_D,
)

ABOVE_KNOWN = effects_of(
    "second_order_above_known",
    r"S(f_i) / \min S",
    "a second-order measure of a network from the usual initialisation over the least value that the data allow, or that "
    "a network from the small one, trained on the same data, has, or its inverse if larger",
    within=(1, None),
)

V15A = Claim(
    id="V15.a",
    amends="V15",
    source=Source(VOLHEJN2020, "sections 4.4.5 and 4.5, at the scale of Table 4.3"),
    statement=r"\text{.. also from the usual initialisation, } \alpha = 1:\quad "
    r"\operatorname{med}_i S(f_i) / \min S \le \tfrac{10}9",
    form=Form.AT_MOST,
    symbols=(ABOVE_KNOWN, UNDEFINED, TESTS),
    sides=against(ABOVE_KNOWN, NEAR),
    finding=Finding.CONJECTURE,
    note="From the usual initialisation networks fit as well and end far above the least. What V15 sees is a property of "
    "training from small weights.",
    quote="training using stochastic gradient descent introduces an implicit bias that favors functions of low complexity",
    reading="The thesis trains from small weights throughout, and from the usual ones in Table 4.3 alone; its conclusion "
    "does not say so. Nobody says it of the usual ones.",
    no_extremal="refuted",
    study=DIGITS,
)

GENERALISES = effects_of(
    "smoothness_and_test",
    r"\tau_i",
    "tau_b of a smoothness measure and the test loss, or the share of test points on the wrong side, among networks that "
    "fit the same training set, averaged over those of a sample path",
    within=TAU,
)

V16 = Claim(
    id="V16",
    source=Source(VOLHEJN2020, "introduction, premise 2"),
    statement=r"\text{smooth functions generalize well:}\quad \operatorname{med}_i "
    r"\tau_b\big(S, L_{\text{test}}\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(GENERALISES, UNDEFINED, TESTS),
    sides=against(GENERALISES, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of the gradient norm on digits, from small weights, it is seen; of the second-order measures, which the thesis "
    "leaves standing, it is not decided, nor in one dimension. Networks that fit the same images differ little.",
    reading="As a comparison: of networks that fit the same training set the smoother has the smaller test loss. Between "
    "training sets both change with their size.",
    no_extremal=MEASURED,
    study=DIGITS,
)

GAIN_BY_WP, GAIN_BY_PL1 = (
    effects_of(
        f"test_loss_gained_by_{name.lower()}",
        r"L_{\text{test}}(f_i) - L_{\text{test}}(g_i)",
        "the test loss of networks that training ends in less that of a network through the same labels that a program finds "
        f"for a small {name}: the median over the training sets of a pair",
    )
    for name in ("WP", "PL1")
)

V16A = Claim(
    id="V16.a",
    amends="V16",
    source=Source(VOLHEJN2020, "introduction, premise 2, of WP"),
    statement=r"\text{a network through the same labels with a smaller } WP \text{ generalizes better:}\quad "
    r"\operatorname{med}_i \big(L_{\text{test}}(f_i) - L_{\text{test}}(g_i)\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(GAIN_BY_WP, UNDEFINED, TESTS),
    sides=against(GAIN_BY_WP, NOTHING),
    finding=Finding.OURS,
    note="Networks that a program finds with half the WP of trained ones, which fit better too. Where training leaves WP, "
    "smoother is better; among trained networks they differ too little to show it (V16).",
    no_extremal=MEASURED,
    study=SMOOTHEST,
)

V16B = Claim(
    id="V16.b",
    amends="V16",
    source=Source(VOLHEJN2020, "introduction, premise 2, of PL1"),
    statement=r"\text{.. and so does one with a smaller } PL_1:\quad "
    r"\operatorname{med}_i \big(L_{\text{test}}(f_i) - L_{\text{test}}(g_i)\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(GAIN_BY_PL1, UNDEFINED, TESTS),
    sides=against(GAIN_BY_PL1, NOTHING),
    finding=Finding.CONJECTURE,
    note="The least PL1 is that of a linear function, which generalises worse than what training ends in: WP and PL1 come "
    "apart where one is least.",
    quote="smooth functions generalize well",
    reading="Of the smoothest functions by PL1 alone. The thesis speaks of smooth functions as such, and nobody says it of "
    "these.",
    no_extremal="refuted",
    study=SMOOTHEST,
)

WITHIN = effects_of(
    "within_category",
    r"\tau_i",
    "tau_b of the two measures of one category, GN and PL0 or PL1 and WP, over the networks of a data set",
    within=TAU,
)

V17 = Claim(
    id="V17",
    source=Source(VOLHEJN2020, "chapter 3"),
    statement=r"\text{within one category the measures are strongly correlated:}\quad "
    r"\operatorname{med}_i \tau_b(S, S') \ge \tfrac12",
    form=Form.AT_LEAST,
    symbols=(WITHIN, UNDEFINED, TESTS),
    sides=against(WITHIN, STRONG),
    finding=Finding.AS_PRINTED,
    note="Of the second-order measures it is seen throughout; of GN and PL0 in one dimension, and not decided on digits. Much "
    "of it is that both rise with the training set (V17.a).",
    reading="'Strongly' as tau_b of a half: of four pairs of networks three are ordered alike. Over all training set sizes, "
    "with which most measures rise.",
    no_extremal=MEASURED,
    study=DIGITS,
)

WITHIN_SIZE = effects_of(
    "within_category_and_size",
    r"\tau_i",
    "tau_b of the two measures of one category among networks trained on the same training set, averaged over those of a "
    "sample path",
    within=TAU,
)

V17A = Claim(
    id="V17.a",
    amends="V17",
    source=Source(VOLHEJN2020, "chapter 3, at a fixed training set"),
    statement=r"\text{.. also among networks with the same training set:}\quad "
    r"\operatorname{med}_i \tau_b(S, S') \ge \tfrac12",
    form=Form.AT_LEAST,
    symbols=(WITHIN_SIZE, UNDEFINED, TESTS),
    sides=against(WITHIN_SIZE, STRONG),
    finding=Finding.CONJECTURE,
    note="Weaker in both categories, and no strong correlation of GN and PL0 on digits.",
    quote="Within one category of measures, our experiments show that the measures are strongly correlated",
    reading="The thesis speaks of all its networks together (V17); here the training set is fixed, so that what two measures "
    "share because both rise with its size is left out. Nobody says it so.",
    no_extremal="refuted",
    study=DIGITS,
)

STILL = effects_of(
    "wp_and_pl1",
    r"\tau_i",
    "tau_b of WP and PL1 among networks trained on the same training set, averaged over those of a sample path",
    within=TAU,
)

V17B = Claim(
    id="V17.b",
    amends="V17",
    source=Source(VOLHEJN2020, "section 3.3, last sentence"),
    statement=r"\text{WP is still correlated with PL1:}\quad \operatorname{med}_i \tau_b(WP, PL_1) \ge 0",
    form=Form.AT_LEAST,
    symbols=(STILL, UNDEFINED, TESTS),
    sides=against(STILL, NOTHING),
    finding=Finding.AS_PRINTED,
    note="In one dimension, where the thesis has an equation in its place (V9), it is seen; on digits, with three networks a "
    "training set, it is not decided. Over training sets of all sizes it is V17.",
    reading="'Still correlated' as a tau_b above 0, the training set fixed.",
    no_extremal=MEASURED,
    study=DIGITS,
)

FALL = effects_of(
    "second_order_fall",
    r"1 - S(f_i^\lambda)/S(f_i)",
    "the part of a second-order measure that a penalty on it takes off at the same training loss, with the largest "
    "coefficient with which its network converges",
    within=(None, 1),
)

V19 = Claim(
    id="V19",
    source=Source(VOLHEJN2020, "section 4.4"),
    statement=r"\text{a network that fits as well and is simpler excludes a measure, and for } PL_1, WP "
    r"\text{ none is found:}\quad \operatorname{med}_i \big(1 - S(f_i^\lambda)/S(f_i)\big) \le 0",
    form=Form.AT_MOST,
    symbols=(FALL, UNDEFINED, TESTS),
    sides=against(FALL, NOTHING),
    finding=Finding.NEEDS_ASSUMPTION,
    note="A penalty lowers PL1 and WP too, at the same training loss, so that by the letter the criterion excludes what the "
    "thesis leaves standing. It needs a size from which on a network counts as simpler (V19.b); the thesis reads a tenth as "
    "none and two thirds as some, without saying where it draws the line, and says elsewhere that training 'tends to'. With "
    "a few hundred images; the thesis has some thousands.",
    quote="If we can find such simpler models, this measure is not being implicitly regularized",
    reading="The criterion by the letter, under which the thesis excludes first-order measures and spares the others.",
    no_extremal="refuted",
    study=PENALISED,
)

SECOND_BY_STEP = effects_of(
    "second_order_fall_by_step_size",
    r"1 - S(f_i')/S(f_i)",
    "the part of a second-order measure that a ten times larger step size takes off at the same training loss, without any "
    "penalty",
    within=(None, 1),
)

V19A = Claim(
    id="V19.a",
    amends="V19",
    source=Source(VOLHEJN2020, "section 4.4, with the step size for a penalty"),
    statement=r"\text{.. nor by a larger step size:}\quad \operatorname{med}_i \big(1 - S(f_i')/S(f_i)\big) \le 0",
    form=Form.AT_MOST,
    symbols=(SECOND_BY_STEP, UNDEFINED, TESTS),
    sides=against(SECOND_BY_STEP, NOTHING),
    finding=Finding.CONJECTURE,
    note="A ten times larger step size lowers PL1 and WP of networks from small weights as much as a penalty does, and PL1 of "
    "those from the usual ones by far more; WP of these mostly rises, and the two come apart.",
    quote="If we can find such simpler models, this measure is not being implicitly regularized",
    reading="The criterion asks for any network that fits as well, and the thesis looks for it with penalties alone. Nobody "
    "says it of step sizes.",
    no_extremal="refuted",
    study=DIGITS,
)

V19B = Claim(
    id="V19.b",
    amends="V19",
    source=Source(VOLHEJN2020, "section 4.4, with the tenth of Table 4.4"),
    statement=r"\text{.. and none that is simpler by more than a tenth:}\quad "
    r"\operatorname{med}_i \big(1 - S(f_i^\lambda)/S(f_i)\big) \le \tfrac1{10}",
    form=Form.AT_MOST,
    symbols=(FALL, UNDEFINED, TESTS),
    sides=against(FALL, TENTH),
    finding=Finding.OURS,
    note="Of WP it is seen, of PL1 not decided. That a penalty takes off no more does not say that there is no more to "
    "take off, as the thesis says itself; and there is (V19.c).",
    no_extremal=MEASURED,
    study=PENALISED,
)

FOUND = effects_of(
    "second_order_fall_by_program",
    r"1 - S(g_i)/S(f_i)",
    "the part of a second-order measure of networks trained from small weights that a network through the same labels, found "
    "by a program, is without: the median over the training sets of a pair",
    within=(None, 1),
)

V19C = Claim(
    id="V19.c",
    amends="V19",
    source=Source(VOLHEJN2020, "section 4.4, with a program for a penalty"),
    statement=r"\text{.. nor by a program that looks for one:}\quad "
    r"\operatorname{med}_i \big(1 - S(g_i)/S(f_i)\big) \le \tfrac1{10}",
    form=Form.AT_MOST,
    symbols=(FOUND, UNDEFINED, TESTS),
    sides=against(FOUND, TENTH),
    finding=Finding.CONJECTURE,
    note="A program finds networks that fit better and have a fraction of PL1 and WP: through fewer images than pixels often "
    "a linear function, with PL1 = 0. By the thesis's criterion this excludes second-order measures on digits as well, as "
    "what training minimises; that it keeps them low beside other networks is not touched.",
    quote="If we can find such simpler models, this measure is not being implicitly regularized",
    reading="The criterion asks for any network that fits as well. With penalties the thesis finds none, and 'this does not "
    "necessarily mean that they do not exist at all'. Nobody says it of programs.",
    no_extremal="refuted",
    study=SMOOTHEST,
)

FIRST_FALL = effects_of(
    "first_order_fall",
    r"1 - S(f_i^\lambda)/S(f_i)",
    "the part of a first-order measure, of PL0 less its lower bound 1, that a penalty on it takes off at the same training "
    "loss, with the largest coefficient with which its network converges",
    within=(None, 1),
)

V20 = Claim(
    id="V20",
    source=Source(VOLHEJN2020, "abstract"),
    statement=r"\text{first-order measures are excluded, for a simpler network fits as well:}\quad "
    r"\operatorname{med}_i \big(1 - S(f_i^\lambda)/S(f_i)\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(FIRST_FALL, UNDEFINED, TESTS),
    sides=against(FIRST_FALL, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of the gradient norm it is seen, by little: with a few hundred images, where the thesis has some thousands, a "
    "penalty acts for less long; of PL0 it is not decided. A larger step size takes off more (V20.c). The same criterion "
    "excludes second-order measures too (V19).",
    reading="'Exclude' by the criterion of section 4.4, by the letter; what it says of second-order measures is V19.",
    no_extremal=MEASURED,
    study=PENALISED,
)

FIRST_BY_STEP = effects_of(
    "first_order_fall_by_step_size",
    r"1 - S(f_i')/S(f_i)",
    "the part of a first-order measure, of PL0 less its lower bound 1, that a ten times larger step size takes off at the "
    "same training loss, without any penalty",
    within=(None, 1),
)

V20C = Claim(
    id="V20.c",
    amends="V20",
    source=Source(VOLHEJN2020, "abstract, with the step size for a penalty"),
    statement=r"\text{.. also by a larger step size:}\quad \operatorname{med}_i \big(1 - S(f_i')/S(f_i)\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(FIRST_BY_STEP, UNDEFINED, TESTS),
    sides=against(FIRST_BY_STEP, NOTHING),
    finding=Finding.OURS,
    note="Of the gradient norm, at both initialisation scales; of PL0 it is not decided. That it is lowered so much "
    "excludes that training at the smaller step size keeps it near its least value.",
    no_extremal=MEASURED,
    study=DIGITS,
)

MORE = effects_of(
    "first_order_falls_more",
    r"\Delta_{1} - \Delta_{2}",
    "the part that a penalty takes off a first-order measure, of PL0 less its lower bound 1, less that which one takes off "
    "the second-order measure that the thesis trains with the same step size",
)

V20A = Claim(
    id="V20.a",
    amends="V20",
    source=Source(VOLHEJN2020, "section 4.4.5, Table 4.4"),
    statement=r"\text{first-order measures are lowered by a penalty, second-order ones are not:}\quad "
    r"\operatorname{med}_i (\Delta_{1} - \Delta_{2}) \ge 0",
    form=Form.AT_LEAST,
    symbols=(MORE, UNDEFINED, TESTS),
    sides=against(MORE, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Not decided with a few hundred images and these few pairs of digits. Said of some thousands of images, where a "
    "penalty acts longer.",
    reading="As: by more, for second-order measures are lowered too. PL0 against PL1, and GN against WP.",
    no_extremal=MEASURED,
    study=PENALISED,
)

FIRST_ABOVE = effects_of(
    "first_order_above_least",
    r"S(f_i) / \min S",
    "a first-order measure of a trained network over the least value that the data allow, or its inverse if larger: the "
    "median over the networks of a data set",
    within=(1, None),
)

V20B = Claim(
    id="V20.b",
    amends="V20",
    source=Source(VOLHEJN2020, "abstract, on the scale of its Table 4.4"),
    statement=r"\text{first-order measures are not kept near their least values:}\quad "
    r"\operatorname{med}_i S(f_i) / \min S \ge \tfrac{10}9",
    form=Form.AT_LEAST,
    symbols=(FIRST_ABOVE, UNDEFINED, TESTS),
    sides=against(FIRST_ABOVE, NEAR),
    finding=Finding.ONE_RUN,
    note="On sample paths of a Gaussian process TV(f) is kept as near its least value as TV(f') is: the linear spline "
    "has the least of both (V7), so that such data cannot tell the one from the other. On the four points of V8, where "
    "they can, TV(f) ends far above its least value and TV(f') at it (V15). On digits PL0 is not told from the limit.",
    quote="We exclude the possibility that smoothness measures based on first derivatives (the gradient) are being "
    "implicitly optimized for",
    reading="'Exclude' as: farther from the least value than the tenth by which the thesis counts PL1 and WP as kept low. "
    "The thesis holds PL0 - 1 against that tenth and PL1 and WP themselves, whose least values it does not know.",
    no_extremal="refuted",
    study=ONE_D,
)

SCALE = effects_of(
    "rougher_at_larger_scale",
    r"\log S_{\text{large}} / S_{\text{small}}",
    "the logarithm of a measure at a larger initialisation scale over that at a smaller one, networks and training sets "
    "otherwise alike, averaged",
)

V22 = Claim(
    id="V22",
    source=Source(VOLHEJN2020, "section 4.1"),
    statement=r"\text{a smaller initialization scale leads to a smoother function:}\quad "
    r"\operatorname{med}_i \log\tfrac{S_{\text{large}}}{S_{\text{small}}} \ge 0",
    form=Form.AT_LEAST,
    symbols=(SCALE, UNDEFINED, TESTS),
    sides=against(SCALE, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of PL0 on digits it is not seen: it hardly depends on the scale there. Of all others it is, most of "
    "the second-order measures.",
    reading="Said of Maennel et al. 2018 in one dimension, and used as the motive of all experiments; here of each measure.",
    no_extremal=MEASURED,
    study=DIGITS,
)

GROWTH = effects_of(
    "rise_with_data",
    r"\tau_i",
    "tau_b of training set size and a measure over the networks of a data set",
    within=TAU,
)

V24 = Claim(
    id="V24",
    source=Source(VOLHEJN2020, "section 4.3.3"),
    statement=r"\text{all four measures increase as the number of training samples increases:}\quad "
    r"\operatorname{med}_i \tau_b(n, S) \ge 0",
    form=Form.AT_LEAST,
    symbols=(GROWTH, UNDEFINED, TESTS),
    sides=against(GROWTH, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of PL0 on digits from small weights it is not decided, and the thesis's own mean for it is within its spread of 0.",
    reading="One test a measure and a study; 'absolutely (the values of tau are positive)'.",
    no_extremal=MEASURED,
    study=DIGITS,
)

ABOVE_POLYNOMIAL = effects_of(
    "rise_above_polynomials",
    r"\tau_i - \tau_i^{\text{poly}}",
    "tau_b of training set size and a measure, of the networks' medians less that of the polynomials through the same data",
    within=(-2, 2),
)

V24A = Claim(
    id="V24.a",
    amends="V24",
    source=Source(VOLHEJN2020, "section 4.3.3"),
    statement=r"\text{.. and relatively, by comparison to polynomials:}\quad "
    r"\operatorname{med}_i \big(\tau_i - \tau_i^{\text{poly}}\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(ABOVE_POLYNOMIAL, UNDEFINED, TESTS),
    sides=against(ABOVE_POLYNOMIAL, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of the gradient norm it is seen on both kinds of paths, of the others on some or none. Polynomials are compared "
    "on all data in the thesis, networks where they converge.",
    reading="On equal terms: one number a size for networks and polynomials alike, on the sizes at which networks converge.",
    no_extremal=MEASURED,
    study=ONE_D,
)

CLAIMS = (V15, V15A, V16, V16A, V16B, V17, V17A, V17B, V19, V19A, V19B, V19C, V20, V20C, V20A, V20B, V22, V24, V24A)

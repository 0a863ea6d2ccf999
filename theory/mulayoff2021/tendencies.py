"""What Mulayoff, Michaeli and Soudry 2021 say their experiment shows, M13, M15, M21, as tendencies over initialisations."""

from __future__ import annotations

from fractions import Fraction

from theory.claim import Claim, Finding, Form
from theory.mulayoff2021.observed import MEASURED
from theory.sources import MULAYOFF2021, Source
from theory.tendency import TAU, TESTS, UNDEFINED, against, effects_of

SWEEP = "experiments.stability_sweep"

NOTHING = Fraction(0)
"""No effect."""

TIGHT, CLOSE = Fraction(2), Fraction(3, 2)
"""Within which factor a bound is read as relatively tight, and as quite close."""

NEAR, MOST = Fraction(1, 10), Fraction(1, 2)
"""Which part of the gap between two data points counts as being on one; which share of a function counts as most of it."""

CURVATURE_TREND = effects_of(
    "curvature_trend",
    r"\tau_i",
    "tau_b of step size and int |f''| g where gradient descent from one initialisation interpolates",
    within=TAU,
)

M13 = Claim(
    id="M13",
    source=Source(MULAYOFF2021, "abstract, Fig 3"),
    statement=r"\text{the GD solution gets smoother as the step size increases:}\quad "
    r"\operatorname{med}_i \tau_b\big(\eta, \textstyle\int|f''|g\big) \le 0",
    form=Form.AT_MOST,
    symbols=(CURVATURE_TREND, UNDEFINED, TESTS),
    sides=against(CURVATURE_TREND, NOTHING),
    finding=Finding.AS_PRINTED,
    note="The paper shows one initialisation on one data set. Runs that do not interpolate are left out, as the paper's "
    "solutions do. It is a tendency over all data sets together, and on most of them alone not decided.",
    reading="'Smoother' as a smaller int |f''| g, which the paper's Fig 3c shows; held against other data and "
    "initialisations, one test a data set.",
    no_extremal=MEASURED,
    study=SWEEP,
)

CENTRE = effects_of(
    "centre_against_edges",
    r"\tfrac{c_i'}{c_i} - \tfrac{e_i'}{e_i}",
    "int |f''| between the quartiles of the data, at the largest step size that interpolates relative to the smallest, "
    "less the same between the quartiles and the ends of the data",
)

M13A = Claim(
    id="M13.a",
    amends="M13",
    source=Source(MULAYOFF2021, "abstract, Fig 3"),
    statement=r"\text{.. particularly at the center of the training data:}\quad "
    r"\operatorname{med}_i \left(\tfrac{c_i'}{c_i} - \tfrac{e_i'}{e_i}\right) \le 0",
    form=Form.AT_MOST,
    symbols=(CENTRE, UNDEFINED, TESTS),
    sides=against(CENTRE, NOTHING),
    finding=Finding.ONE_RUN,
    note="Said of three functions in one figure, and not doubted of them. Where the data themselves bend at the centre, as a "
    "step or a hat does, the curvature there cannot fall and what is removed lies at the edges; elsewhere "
    "neither part falls more, for all that these rows tell. The weight g, by which the paper explains it, weighs the "
    "curvature and need not order how it falls.",
    quote="the GD solution gets smoother as the step size increases, particularly at the center of the training data",
    reading="'Particularly' as a fall to a smaller part of what it is at the smallest step size; the centre is what lies "
    "between the quartiles of the data.",
    no_extremal="refuted",
    study=SWEEP,
)

OUTSIDE = effects_of(
    "inside_against_outside",
    r"\tfrac{c_i'}{c_i} - \tfrac{o_i'}{o_i}",
    "int |f''| within the range of the data, at the largest step size that interpolates relative to the smallest, less "
    "the same outside",
)

M13B = Claim(
    id="M13.b",
    amends="M13",
    source=Source(MULAYOFF2021, "section 5, Fig 3b"),
    statement=r"\text{.. and outside the training data it does not:}\quad "
    r"\operatorname{med}_i \left(\tfrac{c_i'}{c_i} - \tfrac{o_i'}{o_i}\right) \le 0",
    form=Form.AT_MOST,
    symbols=(OUTSIDE, UNDEFINED, TESTS),
    sides=against(OUTSIDE, NOTHING),
    finding=Finding.AS_PRINTED,
    note="The paper says that stability restricts nothing there, not what gradient descent does there.",
    reading="Of the figure's function, 'relatively large second derivative outside the support', as: int |f''| falls to a "
    "smaller part inside than outside.",
    no_extremal=MEASURED,
    study=SWEEP,
)

TIGHTNESS = effects_of(
    "tightness",
    r"r_i",
    "the sharpness of the flattest implementation over 1 + 2 int |f''| g, or its inverse if larger: the median over the "
    "step sizes that interpolate from one initialisation",
    within=(1, None),
)

M15 = Claim(
    id="M15",
    source=Source(MULAYOFF2021, "section 5, Fig 3c"),
    statement=r"\text{the bound is relatively tight:}\quad \operatorname{med}_i\, "
    r"\tfrac{\min_{\Omega(f)}\lambda_{\max}}{1 + 2\int|f''|g} \le 2",
    form=Form.AT_MOST,
    symbols=(TIGHTNESS, UNDEFINED, TESTS),
    sides=against(TIGHTNESS, TIGHT),
    finding=Finding.AS_PRINTED,
    note="Said of one figure. The flattest implementation is B2's, to its tolerance.",
    reading="'Relatively tight' as within a factor 2; the ledger and the page give the factors.",
    no_extremal=MEASURED,
    study=SWEEP,
)

CLOSENESS = effects_of(
    "closeness",
    r"r_i",
    "the sharpness where gradient descent ends over 1 + 2 int |f''| g, or its inverse if larger, at the largest step size "
    "that interpolates from one initialisation",
    within=(1, None),
)

M15A = Claim(
    id="M15.a",
    amends="M15",
    source=Source(MULAYOFF2021, "section 5, Fig 3c"),
    statement=r"\text{.. at the large step size regime quite close to the actual sharpness:}\quad "
    r"\operatorname{med}_i\, \tfrac{\lambda_{\max}}{1 + 2\int|f''|g} \le \tfrac32",
    form=Form.AT_MOST,
    symbols=(CLOSENESS, UNDEFINED, TESTS),
    sides=against(CLOSENESS, CLOSE),
    finding=Finding.ONE_RUN,
    note="Said of one figure, and not doubted of it. On some data sets it is so, on others the sharpness is about twice "
    "the bound or more.",
    quote="at the large step size regime, it is also quite close to the actual sharpness upon convergence",
    reading="'Quite close' as within a factor 3/2, at each initialisation's largest step size that interpolates.",
    no_extremal="refuted",
    study=SWEEP,
)

ON_DATA = effects_of(
    "share_on_data",
    r"s_i",
    "share of int |f''| in the range of the data within a tenth of a gap of a data point, of the smoothest interpolating "
    "function that gradient descent finds from one initialisation, by int |f''| in that range",
    within=(0, 1),
)

M21 = Claim(
    id="M21",
    source=Source(MULAYOFF2021, "section 3, after Theorem 1"),
    statement=r"\text{very smooth functions tend to have their knots coincide with data points:}\quad "
    r"\operatorname{med}_i s_i \ge \tfrac12",
    form=Form.AT_LEAST,
    symbols=(ON_DATA, UNDEFINED, TESTS),
    sides=against(ON_DATA, MOST),
    finding=Finding.ONE_RUN,
    note="The paper says it in passing, of what stability allows at very large step sizes, after Savarese et al. The "
    "linear spline, which bends least of all (V7), has its knots on the data; what gradient descent finds on most of these "
    "data sets is not so smooth and bends between the points. Knots spread evenly would have a fifth of the curvature so "
    "near to data points.",
    quote="such functions tend to have their knots coincide with data points",
    reading="Of the smoothest interpolating function among the step sizes from one initialisation; 'coincide' as within a "
    "tenth of the gap, 'tend' as more than half of int |f''| in the range of the data.",
    no_extremal="refuted",
    study=SWEEP,
)

SHARE_TREND = effects_of(
    "share_trend",
    r"\tau_i",
    "tau_b of int |f''| in the range of the data and its share within a tenth of a gap of a data point, over the step "
    "sizes that interpolate from one initialisation",
    within=TAU,
)

M21A = Claim(
    id="M21.a",
    amends="M21",
    source=Source(MULAYOFF2021, "section 3, after Theorem 1"),
    statement=r"\text{the smoother, the nearer are knots to data points:}\quad "
    r"\operatorname{med}_i \tau_b\big(\textstyle\int|f''|, s\big) \le 0",
    form=Form.AT_MOST,
    symbols=(SHARE_TREND, UNDEFINED, TESTS),
    sides=against(SHARE_TREND, NOTHING),
    finding=Finding.AS_PRINTED,
    note="It is so on the step and the hat, whose least bent interpolants have flat parts, and not decided elsewhere.",
    reading="'Very smooth functions tend to' as a trend: of two functions the smoother has the larger share.",
    no_extremal=MEASURED,
    study=SWEEP,
)

CLAIMS = (M13, M13A, M13B, M15, M15A, M21, M21A)

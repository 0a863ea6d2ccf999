"""What Walker 2023 says that gradients do in training, as tendencies over trained networks.

Of networks, W4, W5, W10 and W12, whose mathematics are claims of their own, and the report's prose, W14 to W16.
"""

from __future__ import annotations

from fractions import Fraction

from theory.claim import Claim, Finding, Form
from theory.sources import WALKER2023, Source
from theory.tendency import MEASURED, TAU, TESTS, UNDEFINED, against, effects_of

STIFFNESS, COHERENCE = "experiments.stiffness", "experiments.coherence"
WINSORIZED, COMPLEXITY = "experiments.winsorized", "experiments.tangent_complexity"

NOTHING, HALF, WHOLE = Fraction(0), Fraction(1, 2), Fraction(1)
"""No effect; half; all."""

FIRST_ORDER = Fraction(5)
"""By which factor an error of second order falls at least, where a step is a tenth: 10 but for higher orders."""

HALVED = Fraction(3, 2)
"""Likewise where it is a half: 2 but for higher orders."""

CLEAR = Fraction(1, 100)
"""By how much something that drops has dropped at least."""

TENTH = effects_of(
    "error_at_tenth",
    r"e_i(\epsilon)/e_i(\epsilon/10)",
    "the largest |Delta l_j + eps g.g_j| over eps |g| |g_j| after a step down one example's loss, over the same for a step of "
    "a tenth: the median over the moments of a training",
)

W4G = Claim(
    id="W4.g",
    amends="W4",
    source=Source(WALKER2023, "section 3.1, on trained networks"),
    statement=r"\Delta l_j = -\epsilon\, g\cdot g_j + O(\epsilon^2):\quad "
    r"\operatorname{med}_i \tfrac{e_i(\epsilon)}{e_i(\epsilon/10)} \ge 5",
    form=Form.AT_LEAST,
    symbols=(TENTH, UNDEFINED, TESTS),
    sides=against(TENTH, FIRST_ORDER),
    finding=Finding.OURS,
    note="W4 where the loss has a kink in the weights holds on either side only; steps of ReLU networks that cross one would "
    "show here. The errors themselves are in the study's table.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

AT_HALF = effects_of(
    "error_at_half",
    r"e_i(\eta)/e_i(\eta/2)",
    "how far the change of the outputs by a step of gradient descent is from Lemma 4.2's, relative to it, over the same for "
    "half the step: the median over the moments of a training",
)

W5A = Claim(
    id="W5.a",
    amends="W5",
    source=Source(WALKER2023, "Lemma 4.2, on trained networks"),
    statement=r"\delta f_{\mathrm{GD}} = \textstyle\sum_j \delta f_j u_j + O(\eta^2):\quad "
    r"\operatorname{med}_i \tfrac{e_i(\eta)}{e_i(\eta/2)} \ge \tfrac32",
    form=Form.AT_LEAST,
    symbols=(AT_HALF, UNDEFINED, TESTS),
    sides=against(AT_HALF, HALVED),
    finding=Finding.OURS,
    note="The lemma is of the linearised step; this is how far real steps of networks are from it.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

LOOSENESS = effects_of(
    "looseness",
    r"\log_{10}\tfrac{b_i}{g_i}",
    "log10 of the right side of Theorem 5.4, with constants seen in training, over the gap of the losses",
)

W15B = Claim(
    id="W15.b",
    amends="W15",
    source=Source(WALKER2023, "Remark 5.5"),
    statement=r"\text{the bound .. is loose:}\quad \operatorname{med}_i \log_{10}\tfrac{b_i}{g_i} \ge 1",
    form=Form.AT_LEAST,
    symbols=(LOOSENESS, UNDEFINED, TESTS),
    sides=against(LOOSENESS, WHOLE),
    finding=Finding.AS_PRINTED,
    note="By tens of powers of ten. L and beta are suprema over all weights; the largest values seen stand for them, so the "
    "theorem's own right side is larger still. The coherence is that of the sample.",
    reading="'Loose' as at least ten times the gap, with the cross-entropy as the loss.",
    no_extremal=MEASURED,
    study=COMPLEXITY,
)

TOGETHER = effects_of(
    "stiffness_and_gap",
    r"\tau_i",
    "tau_b of mean sign stiffness within classes, of training with validation images, and test less training loss, over the "
    "moments of a training",
    within=TAU,
)

W14 = Claim(
    id="W14",
    source=Source(WALKER2023, "section 3.3, within classes, sign stiffness"),
    statement=r"\text{within-class stiffness drops below 1 as a network overfits:}\quad "
    r"\operatorname{med}_i \tau_b(\bar C_i(w_t), \mathrm{gap}_i(w_t)) \le 0",
    form=Form.AT_MOST,
    symbols=(TOGETHER, UNDEFINED, TESTS),
    sides=against(TOGETHER, NOTHING),
    finding=Finding.AS_PRINTED,
    note="In networks of six hidden layers, with true and with random labels. In networks of one it stays 1 and says nothing "
    "(W14.a). Both also change with time, which orders them alike; no cause is shown. The words are Fort et al.'s.",
    reading="A hint and no theorem; read as: of the moments of a training, those with less sign stiffness within classes have "
    "the larger gap. Cosine stiffness, which Definition 3.6 allows as well, is below 1 before the first step and cannot be "
    "what drops below 1.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

DROP = effects_of(
    "drop",
    r"1 - \bar C_i(w_T)",
    "by how much mean sign stiffness within classes of the labels that are trained on is below 1 where random ones are fitted",
)

W14A = Claim(
    id="W14.a",
    amends="W14",
    source=Source(WALKER2023, "section 3.3, the converse"),
    statement=r"\text{one hidden layer, random labels that are fitted: }"
    r"\operatorname{med}_i \big(1 - \bar C_i(w_T)\big) \le \tfrac1{100}",
    form=Form.AT_MOST,
    symbols=(DROP, UNDEFINED, TESTS),
    sides=against(DROP, CLEAR),
    finding=Finding.OURS,
    note="The sentence does not say that stiffness drops wherever a network overfits, and it need not: of one hidden layer "
    "two examples with one label pull the same way to the end. Within the images' own classes, which random labels do not "
    "follow, sign stiffness is never near 1.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

APART = effects_of(
    "apart",
    r"\bar C_i - \bar S_i",
    "mean cosine stiffness within classes less that between them; the mean over the moments of a training",
)

W14B = Claim(
    id="W14.b",
    amends="W14",
    source=Source(WALKER2023, "section 3.3, Definitions 3.5 and 3.6"),
    statement=r"\text{stiffness is higher within classes than between them:}\quad "
    r"\operatorname{med}_i \big(\bar C_i - \bar S_i\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(APART, UNDEFINED, TESTS),
    sides=against(APART, NOTHING),
    finding=Finding.OURS,
    note="What class stiffness does show: a step for one example helps its class and hinders others.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

EARLY = effects_of(
    "early_trend",
    r"\tau_i",
    "tau_b of the coherence after the first epoch and the gap at the end, over shares of random labels",
    within=TAU,
)

W15C = Claim(
    id="W15.c",
    amends="W15",
    source=Source(WALKER2023, "Remark 5.5, on trained networks"),
    statement=r"\text{high coherence early on goes with a small gap:}\quad "
    r"\operatorname{med}_i \tau_b(\alpha(w_{t_1}), \mathrm{gap}) \le 0",
    form=Form.AT_MOST,
    symbols=(EARLY, UNDEFINED, TESTS),
    sides=against(EARLY, NOTHING),
    finding=Finding.OURS,
    note="Over shares of random labels, which change both. Among networks of one share the study's table decides nothing.",
    no_extremal=MEASURED,
    study=COHERENCE,
)

BETWEEN = effects_of(
    "between",
    r"F^{\mathrm{sign}}_i - F^{\cos}_i",
    "how well sign stiffness tells pairs of different classes apart less how well cosine stiffness does: the variance of its "
    "means over pairs of classes over that about these means, 0 where all values are equal; the mean over the moments of a "
    "training",
)

W16 = Claim(
    id="W16",
    source=Source(WALKER2023, "section 3.3, between classes"),
    statement=r"\text{sign stiffness is more suitable .. between classes:}\quad "
    r"\operatorname{med}_i \big(F^{\mathrm{sign}}_i - F^{\cos}_i\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(BETWEEN, UNDEFINED, TESTS),
    sides=against(BETWEEN, NOTHING),
    finding=Finding.ONE_RUN,
    note="'Empirically', after Fort et al., whose networks and data are others. In these networks, of one hidden layer and of "
    "six, cosines tell pairs of classes apart better than signs do.",
    quote="sign stiffness is more suitable for identifying the relationship between data points between classes",
    reading="'Suitable for identifying the relationship' as telling pairs of classes apart: variance between over variance "
    "within.",
    no_extremal="refuted",
    study=STIFFNESS,
)

WITHIN = effects_of(
    "within",
    r"F^{\cos}_i - F^{\mathrm{sign}}_i",
    "the same within classes, cosine less sign",
)

W16A = Claim(
    id="W16.a",
    amends="W16",
    source=Source(WALKER2023, "section 3.3, within classes"),
    statement=r"\text{cosine stiffness better highlights the relationship within classes:}\quad "
    r"\operatorname{med}_i \big(F^{\cos}_i - F^{\mathrm{sign}}_i\big) \ge 0",
    form=Form.AT_LEAST,
    symbols=(WITHIN, UNDEFINED, TESTS),
    sides=against(WITHIN, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Of one hidden layer, all signs within a class are 1 and tell nothing apart, which counts as 0.",
    reading="As for W16.",
    no_extremal=MEASURED,
    study=STIFFNESS,
)

FALL = effects_of(
    "accuracy_trend",
    r"\tau_i",
    "tau_b of the level of winsorisation, from 10 on, and the accuracy on training images; the mean over shares of wrong "
    "labels",
    within=TAU,
)

W16B = Claim(
    id="W16.b",
    amends="W16",
    source=Source(WALKER2023, "section 5.5.1"),
    statement=r"\text{at higher winsorization training accuracy .. falls after a certain point:}\quad "
    r"\operatorname{med}_i \tau_b(c, a) \le 0",
    form=Form.AT_MOST,
    symbols=(FALL, UNDEFINED, TESTS),
    sides=against(FALL, NOTHING),
    finding=Finding.AS_PRINTED,
    note="It falls from the lowest level on, each level with the best of several step sizes.",
    reading="'A certain point' as a level of 10, the least that has a name in code that others use.",
    no_extremal=MEASURED,
    study=WINSORIZED,
)

FITTED = effects_of(
    "noise_trend",
    r"\tau_i",
    "tau_b of the level of winsorisation and the share of wrong labels that are fitted",
    within=TAU,
)

W12D = Claim(
    id="W12.d",
    amends="W12",
    source=Source(WALKER2023, "section 5.5"),
    statement=r"\text{suppressing weak directions should lead to less over-fitting:}\quad "
    r"\operatorname{med}_i \tau_b(c, \text{wrong labels fitted}) \le 0",
    form=Form.AT_MOST,
    symbols=(FITTED, UNDEFINED, TESTS),
    sides=against(FITTED, NOTHING),
    finding=Finding.AS_PRINTED,
    note="Also since fewer labels of any kind are fitted.",
    reading="'Over-fitting' as the share of wrong training labels that a network ends in.",
    no_extremal=MEASURED,
    study=WINSORIZED,
)

BETTER = effects_of(
    "test_trend",
    r"\tau_i",
    "tau_b of the level of winsorisation and test accuracy, with wrong labels",
    within=TAU,
)

W12E = Claim(
    id="W12.e",
    amends="W12",
    source=Source(WALKER2023, "section 5.5"),
    statement=r"\text{.. and better generalization:}\quad \operatorname{med}_i \tau_b(c, \text{test accuracy}) \ge 0",
    form=Form.AT_LEAST,
    symbols=(BETTER, UNDEFINED, TESTS),
    sides=against(BETTER, NOTHING),
    finding=Finding.ONE_RUN,
    note="'In theory', as the report says; it has no experiment. A little winsorisation does no harm, much of it costs "
    "more accuracy than the wrong labels do.",
    quote="suppressing weak directions in the average gradient should lead to less over-fitting and better generalization",
    reading="As a trend over levels 0 to 40 with wrong labels, each level with its best step size.",
    no_extremal="refuted",
    study=WINSORIZED,
)

CLAIMS = (W4G, W5A, W14, W14A, W14B, W15B, W15C, W16, W16A, W16B, W12D, W12E)

"""`python -m proofs_check.smoothness`: what two papers conclude, held against kept rows, as the page docs/smoothness.md."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numerics.files import write_whole
from proofs_check.cases import Cases, Tendencies
from proofs_check.not_claimed import link, table
from proofs_check.page import plain
from proofs_check.registry import TRIALS
from theory.claim import Claim, Form, Ruling
from theory.registry import CLAIMS
from theory.tendency import fewest, median_interval

PAGE = Path(__file__).parents[1] / "docs" / "smoothness.md"

WORDS = {
    "V15": "A second-order measure might be implicitly regularized",
    "V16": "Smooth functions generalize well",
    "V17": "Within one category of measures, our experiments show that the measures are strongly correlated",
    "V17.b": "the measure is still correlated with PL1",
    "V19": "If we can find such simpler models, this measure is not being implicitly regularized",
    "V20": "We exclude the possibility that smoothness measures based on first derivatives .. are being implicitly optimized "
    "for",
    "V20.a": "the first-order measures were reduced by explicit regularization, whereas the second-order measures were not",
    "V22": "using a smaller initialization scale leads to a smoother learned function",
    "V24": "all four smoothness measures increase as the number of training samples increases",
    "V24.a": "The results show this both absolutely .. and relatively (by comparison to polynomials)",
    "M13": "the GD solution gets smoother as the step size increases",
    "M13.b": "has relatively large second derivative outside the support of the training data",
    "M15": "our bound is relatively tight",
    "M21.a": "such functions tend to have their knots coincide with data points",
}
"""The sentences of claims that stand, in the papers' words; of the others the claim quotes them."""

CONCLUSIONS = {"volhejn2020": range(15, 28), "mulayoff2021": range(13, 22), "walker2023": range(14, 17)}
"""The numbers of a paper's claims that are about its prose; tendencies count as such whatever their number."""

ABSTRACTS = {
    "volhejn2020": (
        ("SGD is implicitly biased towards learning functions that are smooth", ("V15", "V15.a", "V22")),
        ("these simple functions generalize well", ("V16", "V16.a", "V16.b")),
        (
            "We exclude the possibility that smoothness measures based on first derivatives (the gradient) are being "
            "implicitly optimized for",
            ("V20", "V20.b", "V20.c"),
        ),
        (
            "Measures based on second derivatives (the Hessian), on the other hand, show promising results",
            ("V15", "V15.a", "V19", "V19.b", "V19.c", "V20.a", "V24"),
        ),
    ),
    "mulayoff2021": (
        (
            "SGD is biased towards functions whose second derivative (w.r.t the input) has a bounded weighted L1 norm, and "
            "this is regardless of the initialization",
            ("M6", "M6.a", "B7.b", "M15", "M15.a"),
        ),
        (
            "the function implemented by the network upon convergence gets smoother as the learning rate increases",
            ("M13",),
        ),
        ("a trained model tends to be smoother at the center of the training distribution", ("M13.a", "M13.b")),
    ),
}
"""The sentences of the two abstracts that speak of what is observed here, and the claims that they rest on."""

KEPT_LOW = ("V15", "V15.a", "V20.b")
TAKEN_OFF = ("V19", "V19.a", "V19.c", "V20", "V20.c")
"""The claims on how far above the least value a measure is, and on what more could be taken off it."""

SAID = {Ruling.HOLDS: "seen", Ruling.VIOLATED: "contrary", Ruling.INCONCLUSIVE: "undecided"}


@dataclass(frozen=True)
class Tested:
    """One test of a tendency.

    Attributes:
        claim: the claim.
        cases: which rows, and what an independent case is.
        count: independent cases, those without an effect among them.
        median: the median effect, nan if there is none.
        interval: its interval.
        ruling: what came of it.
        fewest: the fewest cases that could decide.
    """

    claim: Claim
    cases: Cases
    count: int
    median: float
    interval: tuple[float, float]
    ruling: Ruling
    fewest: int

    @property
    def verdict(self) -> str:
        """In words: what came of it, and where the cases are too few, how many there would have to be."""
        few = f" ({self.count} cases, {self.fewest} at least are needed)" if self.count < self.fewest else ""
        return f"{SAID[self.ruling]}{few}"


def tested(id: str) -> list[Tested]:
    """Return what came of each test of a claim about a tendency.

    Raises:
        ValueError: if rows cannot be read, or lack a column, a value or sizes.
    """
    claim, tests = CLAIMS[id], TRIALS[id].instances
    if not isinstance(tests, Tendencies):
        return []
    found = []
    for cases, instance in zip(tests.cases, tests.read(), strict=True):
        effects = [float(effect) for effect in instance[tests.effect]]
        interval = median_interval(instance, claim.symbols[0])
        found.append(
            Tested(
                claim,
                cases,
                len(effects) + instance["undefined"],
                float(np.median(effects)) if effects else math.nan,
                (float(interval.lower), float(interval.upper)),
                claim.evaluate(instance).ruling,
                fewest(len(tests.cases)),
            )
        )
    return found


def number(value: float) -> str:
    """Return a number with two places, or three digits if it is large; an open end in words."""
    if not math.isfinite(value):
        return "open"
    return f"{value:.3g}" if abs(value) >= 100 else f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def interval_of(ends: tuple[float, float]) -> str:
    """Return an interval in words."""
    return "open" if not any(map(math.isfinite, ends)) else f"{number(ends[0])} to {number(ends[1])}"


def verdict_of(id: str, tests: Sequence[Tested]) -> str:
    """Return what came of a claim: of a tendency its tests, counted; of any other its finding."""
    if not tests:
        return CLAIMS[id].finding.value
    counts = {ruling: sum(test.ruling is ruling for test in tests) for ruling in SAID}
    told = [f"{said} in {counts[ruling]}" for ruling, said in SAID.items() if counts[ruling]]
    return f"{', '.join(told)} of {len(tests)}"


def effect_of(tests: Sequence[Tested]) -> tuple[str, str]:
    """Return the range of the median effects of a claim, and how far their intervals reach."""
    medians = [test.median for test in tests if math.isfinite(test.median)]
    ends = [end for test in tests for end in test.interval]
    if not medians:
        return "", ""
    spread = number(medians[0]) if len(medians) == 1 else f"{number(min(medians))} to {number(max(medians))}"
    finite = [end for end in ends if math.isfinite(end)]
    return spread, f"{number(min(finite))} to {number(max(finite))}" if finite else "open"


def limit_of(claim: Claim) -> str:
    """Return what the median effect is held against."""
    sign = "at most" if claim.form is Form.AT_MOST else "at least"
    (limit,) = re.findall(r"\\(?:le|ge) (.+)$", claim.statement)
    words = re.sub(r"\\tfrac(\{?\d+\}?)(\{?\d+\}?)", r"\1/\2", limit).replace("{", "").replace("}", "")
    return f"{sign} {words}"


def concluding(paper: str) -> list[str]:
    """Return the ids of a paper's claims about its conclusions, in order."""
    letter = {"volhejn2020": "V", "mulayoff2021": "M", "walker2023": "W"}[paper]
    numbered = [(int(match[1]), id) for id in CLAIMS if (match := re.fullmatch(rf"{letter}(\d+)(\.\w)?", id))]
    return [
        id
        for place, id in sorted(numbered)
        if place in CONCLUSIONS[paper] or isinstance(TRIALS[id].instances, Tendencies)
    ]


def _links(ids: Iterable[str]) -> str:
    return ", ".join(link(id) for id in ids if id in CLAIMS)


def _abstract(paper: str, results: dict[str, list[Tested]]) -> str:
    lines = []
    for words, ids in ABSTRACTS[paper]:
        there = [id for id in ids if id in CLAIMS]
        said = "; ".join(f"{link(id)}: {verdict_of(id, results[id])}" for id in there)
        lines.append((plain(words), said, " ".join(plain(CLAIMS[id].note) for id in there if results[id])))
    return table(("its words", "what they rest on", "what of it stands"), lines)


def _sentences(paper: str, results: dict[str, list[Tested]]) -> str:
    lines = []
    for id in concluding(paper):
        claim, tests = CLAIMS[id], results[id]
        words = WORDS.get(id, claim.quote)
        decided = f"{len(tests)} tests on rows" if tests else "counterexample" if claim.finding.refutable else "proof"
        if tests and len(tests) == 1:
            decided = "1 test on rows"
        lines.append(
            (
                link(id),
                plain(words) or "(the statement)",
                plain(claim.reading) or plain(claim.note),
                decided,
                verdict_of(id, tests),
                *effect_of(tests),
            )
        )
    head = ("claim", "sentence", "reading", "decided by", "verdict", "median effects", "intervals reach")
    return table(head, lines)


def _kept_low(results: dict[str, list[Tested]]) -> str:
    lines = [
        (link(id), plain(test.cases.name), number(test.median), interval_of(test.interval), str(test.count))
        for id in KEPT_LOW
        for test in results[id]
    ]
    return table(("claim", "measure and data", "times the least, median", "interval", "cases"), lines)


def _taken_off(results: dict[str, list[Tested]]) -> str:
    ways = dict.fromkeys(("V19", "V20"), "a penalty") | dict.fromkeys(("V19.a", "V20.c"), "a larger step size")
    ways["V19.c"] = "a program"
    lines = [
        (
            link(id),
            plain(test.cases.name),
            ways[id],
            f"{test.median:.1%}",
            "open"
            if not all(map(math.isfinite, test.interval))
            else f"{test.interval[0]:.1%} to {test.interval[1]:.1%}",
            str(test.count),
        )
        for id in TAKEN_OFF
        for test in results[id]
    ]
    return table(("claim", "measure and data", "by", "part taken off, median", "interval", "cases"), lines)


def _every_test(ids: Iterable[str], results: dict[str, list[Tested]]) -> str:
    lines = [
        (
            link(id),
            plain(test.cases.name),
            limit_of(test.claim),
            number(test.median),
            interval_of(test.interval),
            f"{test.count}",
            test.verdict,
        )
        for id in ids
        for test in results[id]
    ]
    return table(("claim", "test", "median is", "median", "interval", "cases", "verdict"), lines)


def page() -> str:
    """Return the page.

    Raises:
        ValueError: if rows cannot be read, or lack a column, a value or sizes.
    """
    papers = list(CONCLUSIONS)
    ids = {paper: concluding(paper) for paper in papers}
    named = {id for parts in ABSTRACTS.values() for _, claims in parts for id in claims if id in CLAIMS}
    results = {id: tested(id) for id in dict.fromkeys((*(id for paper in papers for id in ids[paper]), *sorted(named)))}
    every = [test for tests in results.values() for test in tests]
    tendencies = [id for id in results if results[id]]
    kinds = dict.fromkeys(test.cases.case for test in every)
    return TEMPLATE.format(
        claims=len(tendencies),
        tests=len(every),
        studies=", ".join(f"`{study}`" for study in dict.fromkeys(test.cases.study for test in every)),
        kinds="\n".join(f"- {kind};" for kind in kinds).rstrip(";") + ".",
        thesis=_abstract("volhejn2020", results),
        mulayoff=_abstract("mulayoff2021", results),
        kept_low=_kept_low(results),
        taken_off=_taken_off(results),
        thesis_sentences=_sentences("volhejn2020", results),
        mulayoff_sentences=_sentences("mulayoff2021", results),
        walker_sentences=_sentences("walker2023", results),
        every=_every_test(tendencies, results),
        meanings=table(
            ("claim", "effect in one case"),
            ((link(id), plain(CLAIMS[id].symbols[0].meaning.partition("; one for")[0])) for id in tendencies),
        ),
    )


TEMPLATE = """# Are smooth functions learned, and what becomes of what three papers conclude

Written by `python -m proofs_check.smoothness` from the rows under `results/` and the registry of claims; a test holds it to
them. No number on it was typed.

How to read it. Each sentence of a paper that an experiment can decide is read as a tendency: an effect is measured once in each
independent case, and its median is held against a limit. The interval of the median is that of the sign test, which assumes
nothing of the distribution; an end is *open* where too few cases, or undefined effects, leave it so. A test has *seen* the
sentence if the whole interval says so, says the *contrary* if the whole interval is on the other side, and is *undecided*
otherwise, which is no evidence against the sentence. All tests of one claim together see something that is not there by chance
at most once in 40, and say the contrary by chance at most as often. Most effects and limits were set before the rows were
looked at, whose studies' summaries were known. What was changed after a first look: that the tests of a claim share one level;
the tests over all data sets together; that a training set is the case in V16, V17.a and V17.b; V15.a, V19.b and the tests on
the points of eq 3.14; the effect of V20.a; the rows of V19.a and V20.c. W14, W14.a and the deeper networks of W14.b, W16 and
W16.a were set after W14's first test, of cosines, had been unfair to it, with networks of two other seeds seen. V16.a, V16.b
and V19.c were set with the rows of ten pairs of digits seen, and before those of the further pairs were made. That pairs which
do not reach the loss are left out of V19 and V20 was set with both outcomes seen, counted as undefined they leave both
undecided, and pairs were added there because these were: V19, V19.b and V20 explore and do not confirm. {tests} tests of
{claims} claims, on rows of {studies}. An independent case is

{kinds}

Nothing here says more than it shows: it is about two-layer ReLU networks of the sizes and data of these studies, and of MLPs
for Walker. A paper that shows one run on one data set is held against others here, and not doubted of its own; *contrary* says
that the sentence does not carry over. The digits are MNIST pairs with up to 512 training images, where the thesis goes up to
10,000.

## The thesis's question: which measures does training keep low?

Against the least that the data allow, where it is known: in one dimension by V7, for PL0 on balanced labels by V14; of the
usual initialisation on digits against what networks from the small one have. 1 is the least; the thesis counts as kept low
what is within a tenth of it.

{kept_low}

And what could be taken off at the same training loss, PL0 less its lower bound 1; pairs of digits where no network reaches that
loss are left out, as in the thesis:

{taken_off}

## What of the thesis's abstract stands

{thesis}

## What of the abstract of Mulayoff, Michaeli and Soudry stands

{mulayoff}

## Sentence by sentence: the thesis

{thesis_sentences}

## Sentence by sentence: Mulayoff, Michaeli and Soudry

{mulayoff_sentences}

## Sentence by sentence: Walker, and what only networks can show of his claims

{walker_sentences}

## Every test

<details><summary>{tests} tests</summary>

{every}

</details>

What is measured in one case:

{meanings}
"""


def main() -> int:
    """Write the page; return the exit status, 2 if rows cannot be read."""
    try:
        text = page()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_whole(PAGE, lambda aside: aside.write_text(text, encoding="utf-8"))
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

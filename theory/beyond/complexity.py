"""What a random batch says of geometric complexity: B14."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory.batches import batch_means, mean_of, moments_of_batches, variance_of_means
from theory.beyond import complexity_proofs as proofs
from theory.beyond.complexity_bounds import batch_complexity_variance
from theory.checks import rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.sources import HOUSE, Source
from theory.symbols import BATCH_OF_NORMS, SAMPLE_NORMS


def _variance_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    numbers, batch = given["squared_norms"], given["batch_size"]
    means, centre = batch_means(numbers, batch), mean_of(numbers)
    spread = Fraction(sum((one - centre) ** 2 for one in means), len(means))
    return Enclosure.exactly(spread), Enclosure.exactly(variance_of_means(numbers, batch))


def _mean_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    means = batch_means(given["squared_norms"], given["batch_size"])
    return Enclosure.exactly(mean_of(rationals(means))), Enclosure.exactly(mean_of(given["squared_norms"]))


def _reads(given: Instance) -> dict[str, Any]:
    return moments_of_batches(given["squared_norms"], given["batch_size"])


THREE = Instance({"squared_norms": rationals([0, 1, 5]), "batch_size": 2}, "named")

B14 = Claim(
    id="B14",
    source=Source(HOUSE, "B14"),
    statement=r"\operatorname{Var} \langle f, B\rangle_G = \Big(1 - \tfrac{|B|}{|D|}\Big) \tfrac{S^2}{|B|},\quad "
    r"S^2 = \tfrac{1}{|D| - 1} \sum_{x \in D} \big(\|\nabla f(x)\|_F^2 - \langle f, D\rangle_G\big)^2",
    form=Form.IDENTITY,
    symbols=(SAMPLE_NORMS, BATCH_OF_NORMS),
    sides=_variance_sides,
    bound=batch_complexity_variance,
    bound_on=lambda given: batch_complexity_variance(given["squared_norms"], given["batch_size"]),
    proof=proofs.b14,
    reads=_reads,
    finding=Finding.OURS,
    note="Over all batches of a size, drawn without replacement; S^2 of a batch of two or more is unbiased for it, so that "
    "a batch tells its own standard error.",
    extremal=THREE,
)

B14A = Claim(
    id="B14.a",
    amends="B14",
    source=Source(HOUSE, "B14"),
    statement=r"\mathbb E \langle f, B\rangle_G = \langle f, D\rangle_G",
    form=Form.IDENTITY,
    symbols=(SAMPLE_NORMS, BATCH_OF_NORMS),
    sides=_mean_sides,
    proof=proofs.b14a,
    reads=_reads,
    finding=Finding.OURS,
    note="For any network, trained on these data or not: the batch is drawn after training.",
    extremal=THREE,
)

CLAIMS = (B14, B14A)

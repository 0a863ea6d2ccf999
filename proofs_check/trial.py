"""What a trial is: how one claim is put to the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis.strategies import SearchStrategy

from proofs_check.cases import Tendencies
from proofs_check.kept import Reading
from proofs_check.oracles import Oracle
from proofs_check.trials.operators import Mutant
from theory.claim import Claim, Instance


@dataclass(frozen=True)
class Trial:
    """How a claim is put to the test.

    Attributes:
        claim: the claim.
        instances: where counterexamples are looked for: instances to draw, or for what was observed the rows that were kept,
            one by one or as tests of a tendency.
        mutants: wrong versions of the claim, which the search that passes it must refute; none for a claim that is refuted.
        spared: wrong versions that `trials.generated` makes of the claim and that nobody claims to be wrong: their names,
            and why its search need not refute them. Without an assumption: nor any other assumption in its place.
        oracle: a second implementation of both sides, without a formula of `theory`, where there is one.
    """

    claim: Claim
    instances: SearchStrategy[Instance] | Reading | Tendencies
    mutants: tuple[Mutant, ...] = ()
    spared: Mapping[str, str] = field(default_factory=dict)
    oracle: Oracle | None = None

    @property
    def drawn(self) -> SearchStrategy[Instance] | None:
        """The instances to draw, if the claim is tried on such."""
        return None if isinstance(self.instances, (Reading, Tendencies)) else self.instances

    @property
    def rows_missing(self) -> str:
        """Where the rows that the claim is tried on would be, if it is tried on such and they are not there."""
        return self.instances.missing() if isinstance(self.instances, (Reading, Tendencies)) else ""

    @property
    def kept_noun(self) -> str:
        """What an instance made of kept rows is, in the plural: a row, or a test of many."""
        return "tests on kept rows" if isinstance(self.instances, Tendencies) else "kept rows"

    def kept(self) -> list[Instance]:
        """Return the rows that were kept, as instances; none where the claim is tried on drawn ones.

        Raises:
            ValueError: if the rows cannot be read, or lack a column.
        """
        return self.instances.read() if isinstance(self.instances, (Reading, Tendencies)) else []

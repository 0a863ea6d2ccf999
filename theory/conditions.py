"""What claims assume, as predicates of one value: a claim asks them of an instance, a bound of its own arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class AssumptionError(ValueError):
    """A claim was used where one of its assumptions fails."""

    def __init__(self, claim: str, assumption: str, value: object) -> None:
        """Name the claim, the assumption that fails, and the value that decides it."""
        super().__init__(f"{claim} does not apply: it assumes {assumption}, got {value}")
        self.claim, self.assumption, self.value = claim, assumption, value

    def __reduce__(self) -> tuple[type[AssumptionError], tuple[str, str, object]]:
        """Return what makes it again in another process."""
        return type(self), (self.claim, self.assumption, self.value)


@dataclass(frozen=True)
class Condition:
    """What is assumed of a value.

    Attributes:
        name: what the error and the ledger call it.
        holds: whether a value satisfies it.
    """

    name: str
    holds: Callable[[Any], bool]

    def require(self, claim: str, value: object, shown: object = None) -> None:
        """Do nothing if the value satisfies the condition.

        Args:
            claim: the id of the claim that is used.
            value: what decides it.
            shown: what the error says of the value, where that is another than the value itself.

        Raises:
            AssumptionError: if it does not.
        """
        if not self.holds(value):
            raise AssumptionError(claim, self.name, value if shown is None else shown)

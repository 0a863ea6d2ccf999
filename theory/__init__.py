"""What is claimed: statements, their assumptions, and the exact objects that they speak of.

The bounds that users import are those of the papers: `theory.mulayoff2021`, `theory.beyond` and so on.
"""

from theory.claim import Assumption, AssumptionError, Claim, Finding, Form, Instance, Ruling, Status, Verdict
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS, fallen_conjectures, findings_table
from theory.two_layer import Weights

__all__ = [
    # claims, by id
    "CLAIMS",
    "Claim",
    "findings_table",
    "fallen_conjectures",
    # what a claim is evaluated on
    "PiecewiseLinear",
    "Weights",
    "Instance",
    # what comes out
    "Verdict",
    "Ruling",
    "AssumptionError",
    "Enclosure",
    # how a claim stands
    "Finding",
    "Status",
    # what it is made of
    "Assumption",
    "Form",
]

"""The papers, and where in them a claim stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A paper: its key in this library, authors, title, year and venue."""

    key: str
    authors: str
    title: str
    year: int
    venue: str


@dataclass(frozen=True)
class Source:
    """Where a claim is printed: the paper and the place in it."""

    paper: Paper
    locator: str

    def __str__(self) -> str:
        """Return key and locator, as the tables show it."""
        return f"{self.paper.key}, {self.locator}"


VOLHEJN2020 = Paper(
    "volhejn2020",
    "Václav Volhejn",
    "Smoothness of functions learned by neural networks",
    2020,
    "Bachelor thesis, Charles University",
)
MULAYOFF2021 = Paper(
    "mulayoff2021",
    "Rotem Mulayoff, Tomer Michaeli, Daniel Soudry",
    "The implicit bias of minima stability: a view from function space",
    2021,
    "NeurIPS 34",
)
DHERIN2022 = Paper(
    "dherin2022",
    "Benoit Dherin, Michael Munn, Mihaela Rosca, David G.T. Barrett",
    "Why neural networks find simple solutions: the many regularizers of geometric complexity",
    2022,
    "NeurIPS 35",
)
NEYSHABUR2017 = Paper(
    "neyshabur2017",
    "Behnam Neyshabur, Srinadh Bhojanapalli, David McAllester, Nathan Srebro",
    "Exploring generalization in deep learning",
    2017,
    "NeurIPS 30",
)
WALKER2023 = Paper(
    "walker2023",
    "Thomas Walker",
    "Appealing to gradients to investigate neural network generalization",
    2023,
    "Project report",
)
LIANG2025 = Paper(
    "liang2025",
    "Tongtong Liang, Dan Qiao, Yu-Xiang Wang, Rahul Parhi",
    "Stable minima of ReLU neural networks suffer from the curse of dimensionality",
    2025,
    "NeurIPS 38",
)
MULAYOFF2024 = Paper(
    "mulayoff2024",
    "Rotem Mulayoff, Tomer Michaeli",
    "Exact mean square linear stability analysis for SGD",
    2024,
    "COLT 37",
)
HOUSE = Paper("house", "the authors of this library", "Claims beyond the papers", 2026, "this library")

RESTATED = (Source(WALKER2023, "section 6"),)
"""Where Walker 2023 says what Dherin et al. 2022 say, in its own words (W17): a second source of their claims."""

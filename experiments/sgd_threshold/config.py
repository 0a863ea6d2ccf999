"""What `experiments.sgd_threshold` simulates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from theory.symbols import Sampling

ID = "sgd_threshold"
"""The study: the name of its folder, and what its seeds begin with."""


@dataclass(frozen=True)
class Config:
    """What is simulated.

    Attributes:
        problems: gaussian (6 points, 3 features), gaussian_wide (8, 20), gaussian_many (20, 8), or built-in data sets that a
            network is trained on: sine, hat, step, parabola, gaussian_process, clusters.
        samplings: how batches are drawn: without_replacement, with_replacement, reshuffling (up to 8 points).
        batch_sizes: batch sizes; 0 stands for all from 1 to the number of points.
        factors: step sizes in units of the threshold, none of them 1.
        level: chance, at most, with which a growth of exactly 1 is called above 1, and that it is called below 1.
        steps: steps that the mean of a a^T is carried through; its growth is measured over the second half.
        draws: batches (or orders of the points) drawn afresh for each of these steps (or epochs).
        paths: paths of an ensemble; a tenth of them goes on to the long horizon.
        horizons: steps after which the mean of ||a||^2 over an ensemble is looked at, a few and many; for reshuffling about as
            many, in whole epochs.
        exponent_steps: steps of each path that an exponent is averaged over, after a sixth as many that are not.
        exponent_paths: number of these paths.
        networks: runs of SGD on the loss of a network for each step size.
        network_steps: steps of each of these runs.
        perturbation: distance of their start from the minimum, in root mean square over draws.
        width: hidden units of the networks.
        seed: changes all that is drawn; any integer.
    """

    problems: tuple[str, ...] = ("gaussian", "parabola", "sine")
    samplings: tuple[Sampling, ...] = get_args(Sampling)
    batch_sizes: tuple[int, ...] = (0,)
    factors: tuple[float, ...] = (0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.15, 1.25, 1.5)
    level: float = 1e-3
    steps: int = 400
    draws: int = 256
    paths: int = 20_000
    horizons: tuple[int, int] = (2, 300)
    exponent_steps: int = 3000
    exponent_paths: int = 32
    networks: int = 32
    network_steps: int = 3000
    perturbation: float = 1e-6
    width: int = 20
    seed: int = 0

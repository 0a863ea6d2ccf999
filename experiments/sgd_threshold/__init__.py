"""SGD just below and just above its exact thresholds (mulayoff2024; B3, B9): `python -m experiments.sgd_threshold`.

Near a minimum with zero loss SGD is a <- (I - eta mean_{i in batch} phi_i phi_i^T) a, phi_i the gradient of f(x_i), and
`numerics.stability.mean_square_threshold` says up to which step size E ||a||^2 stays bounded. Here the batches are drawn:

- growth: the mean of a a^T is carried through many steps, each time the average over fresh batches, and its growth is
  held against 1 (B3.l). A plain average of ||a||^2 would not do: near the threshold it is made by paths too rare to be drawn.
- ensemble: such plain averages, over few steps against their exact values, and over many to show how they fail.
- exponent: the step size beyond which single paths grow, where the mean of log ||a|| over long paths ceases to fall.
- network: SGD on the loss of a trained network, from a small distance of its minimum: which runs leave? The network's
  geometric complexity is held against what the step size allows it there (B25).
"""

from experiments.engine.study import Printed, Study
from experiments.sgd_threshold.config import ID, Config
from experiments.sgd_threshold.report import conclusion, figure, table
from experiments.sgd_threshold.rows import tasks

STUDY: Study[Config] = Study(
    id=ID,
    title="SGD just below and just above its exact thresholds (mulayoff2024, and reshuffling).",
    claims=("B3", "B3.l", "B9", "B25"),
    printed=(
        Printed(
            "B3",
            "mulayoff2024",
            "E ||a||^2 stays bounded iff eta <= 2 / lambda_max(C^+ D), for batches drawn anew without replacement.",
        ),
        Printed(
            "B9", "house", "reshuffling has a threshold of its own, where the expected map of an epoch begins to grow."
        ),
    ),
    presets={
        "default": Config(),
        "smoke": Config(
            problems=("gaussian", "parabola"),
            batch_sizes=(1, 2),
            factors=(0.8, 1.25),
            steps=100,
            draws=64,
            paths=1000,
            horizons=(2, 50),
            exponent_steps=300,
            exponent_paths=8,
            networks=8,
            network_steps=300,
        ),
        "paper": Config(
            problems=("gaussian", "gaussian_wide", "gaussian_many", "parabola", "hat", "sine"),
            draws=512,
            networks=64,
        ),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    workers_are="processes",
)

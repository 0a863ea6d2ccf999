"""Growing training sets of Gaussian-process samples (volhejn2020, Table 4.1): `python -m experiments.training_set_size_1d`.

If training picked the smoothest function through the data, no measure that it minimises would fall as points are added
(V11). Networks are trained on nested training sets, and Kendall's tau_b tells how far a measure rises with their size.
What rises with the networks may rise with the data alone: two interpolations without any training stand beside them, the
polynomial of the thesis and the linear spline, which by V7 has the least variation of f and of f' of all.
"""

from experiments.engine.study import Printed, Study
from experiments.training_set_size_1d.report import (
    MEASURES,
    NETWORKS,
    POLYNOMIALS,
    PRINTED_FAILED,
    conclusion,
    figure,
    table,
)
from experiments.training_set_size_1d.rows import ID, Config, tasks

STUDY: Study[Config] = Study(
    id=ID,
    title="Smoothness measures of networks on growing training sets of Gaussian-process samples (volhejn2020, Table 4.1).",
    claims=("V10", "V11", "V12", "V9", "V7", "B6"),
    printed=(
        Printed(
            "V11", "Table 4.1, networks", f"mean tau_b {', '.join(f'{MEASURES[m]} {p}' for m, p in NETWORKS.items())}."
        ),
        Printed(
            "V11",
            "Table 4.1, polynomials",
            f"mean tau_b {', '.join(f'{MEASURES[m]} {p}' for m, p in POLYNOMIALS.items())}.",
        ),
        Printed(
            "V11",
            "section 4.3.1",
            f"no network fits in {PRINTED_FAILED} configurations; such networks skew tau little.",
        ),
        Printed(
            "V10", "eq 4.1", "initial weights within sqrt(3 alpha / (fan in + fan out)) of 0; 6 for 3 in the code."
        ),
    ),
    presets={
        "default": Config(),
        "smoke": Config(
            data_sets=3, seeds=2, sizes=(2, 3, 5, 7), initialisers=("as_coded", "as_printed"), max_steps=5_000
        ),
        "paper": Config(initialisers=("as_coded", "as_printed")),
        "all": Config(paths=("thesis", "fresh"), initialisers=("as_coded", "as_printed")),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
)

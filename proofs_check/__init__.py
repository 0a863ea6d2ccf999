"""Whether it holds: replay of proofs, instances, and the search for counterexamples."""

from theory.extras import need

need(
    "proofs_check",
    "proofs",
    (
        "cvxpy",
        "pooch",
        "scipy",
        "torch",
        "flint",
        "hypothesis",
        "jinja2",
        "latex2mathml",
        "markupsafe",
        "pandas",
        "tqdm",
        "tyro",
        "z3",
    ),
)

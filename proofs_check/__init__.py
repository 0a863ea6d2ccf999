"""Whether it holds: replay of proofs, instances, and the search for counterexamples."""

from theory.extras import need

need(
    "proofs_check",
    "proofs",
    (
        "cvxpy",
        "flint",
        "hypothesis",
        "jinja2",
        "latex2mathml",
        "lazy_loader",
        "markupsafe",
        "pandas",
        "pooch",
        "scipy",
        "torch",
        "tqdm",
        "tyro",
        "z3",
    ),
)

"""What the papers ran, one study a module: `python -m experiments` lists them."""

from theory.extras import need

need(
    "experiments",
    "studies",
    ("cvxpy", "pooch", "scipy", "torch", "filelock", "matplotlib", "pandas", "pyarrow", "tqdm", "tyro"),
)

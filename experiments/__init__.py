"""What the papers ran, one study a module: `python -m experiments` lists them."""

from theory.extras import need

need(
    "experiments",
    "studies",
    (
        "cvxpy",
        "filelock",
        "lazy_loader",
        "matplotlib",
        "pandas",
        "pooch",
        "pyarrow",
        "safetensors",
        "scipy",
        "torch",
        "tqdm",
        "tyro",
    ),
)

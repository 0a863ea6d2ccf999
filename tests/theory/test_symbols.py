"""Sizes of values that belong together are held to what the meanings of their symbols say."""

import numpy as np
import pytest

from theory.symbols import Symbol, check_sizes
from theory.two_layer import Weights

ROWS, POINT, PATH = (
    Symbol("rows", "R", "rows of rationals, [n, d]; one an example"),
    Symbol("point", "p", "a point, [d]"),
    Symbol("path", "P", "a path, [2, d + 1]"),
)
NETWORK = Symbol("weights", "w", "a network of [k] units")
ALONG = Symbol("along", "q", "a direction in its weights, [3k+1]")
NUMBERS = Symbol("numbers", "c", "between the first and the last of [x_1, x_n]")


def test_axes_are_read_from_the_meaning() -> None:
    assert [symbol.axes for symbol in (ROWS, POINT, PATH, NETWORK, ALONG, NUMBERS)] == [
        ((1, "n", 0), (1, "d", 0)),
        ((1, "d", 0),),
        ((1, "", 2), (1, "d", 1)),
        ((1, "k", 0),),
        ((3, "k", 1),),
        (),
    ]


def test_values_that_fit_pass() -> None:
    check_sizes((ROWS, POINT, PATH), {"rows": np.ones((3, 2)), "point": np.ones(2), "path": np.ones((2, 3))})
    check_sizes((NETWORK, ALONG), {"weights": Weights([1, 1], [0, 0], [1, 1], 0), "along": np.ones(7)})
    check_sizes((NUMBERS, ROWS), {"numbers": np.ones(5), "rows": "not an array"})


@pytest.mark.parametrize(
    ("symbols", "values", "sentence"),
    [
        (
            (ROWS, POINT),
            {"rows": np.ones((3, 2)), "point": np.ones(1)},
            r"^point must be \[d\], d = 2 as in rows, got shape \(1,\)$",
        ),
        ((ROWS,), {"rows": np.ones(3)}, r"^rows must be \[n, d\], got shape \(3,\)$"),
        ((PATH,), {"path": np.ones((3, 3))}, r"^path must be \[2, d\+1\], got shape \(3, 3\)$"),
        (
            (NETWORK, ALONG),
            {"weights": Weights([1], [0], [1], 0), "along": np.ones(7)},
            r"^along must be \[3k\+1\], k = 1 as in weights, got shape \(7,\)$",
        ),
        ((ALONG,), {"along": np.ones(6)}, r"^along must be \[3k\+1\], got shape \(6,\)$"),
    ],
    ids=["repeated by numpy", "an axis short", "a number of rows", "of another network", "of no network"],
)
def test_values_that_do_not_fit_are_refused(
    symbols: tuple[Symbol, ...], values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_sizes(symbols, values)

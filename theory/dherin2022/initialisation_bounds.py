"""What initialisers make of the geometric complexity of ReLU networks without biases, in the mean (D16, B24)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal, get_args

from theory.checks import count, nonnegative

Scheme = Literal["lecun", "glorot", "he"]
"""Entry variances 1/m, 2/(m + n) and 2/m of a layer with m inputs and n outputs (LeCun et al. 1998, Glorot and Bengio 2010,
He et al. 2015), of normals, or of uniform or truncated distributions scaled to them. A normal truncated at two standard
deviations and not scaled has 0.774 of its variance."""


def expected_geometric_complexity(widths: Sequence[int], variances: Sequence[Any]) -> Any:
    """Return E GC = n_0 prod v_i prod n_i / 2^(l-1) of a ReLU network without biases at initialisation (B24).

    The mean over weights of |J(x)|_F^2, for every x but 0 and so for every data set; n_0 = d, n_l = k. The layers are
    independent; the rows w of a layer have the distribution of -w and E w w^T = v I, and no hyperplane but through 0 has
    a share of them: normal, uniform, truncated, or scaled orthogonal. E |f(x)|^2 is |x|^2 / d times as large.

    Args:
        widths: d, n_1, .., k, integers above 0, one more than layers, [l + 1].
        variances: v_1, .., v_l, of the entries of each layer, at least 0, [l].

    Returns:
        a number, exact if all variances are rationals or integers.

    Raises:
        TypeError: if a width is no integer or a variance no real number.
        ValueError: if a width is below 1, a variance negative or not finite, there are no layers, the lengths do not fit,
            or the result is beyond the range of floats.

    Example:
        >>> from fractions import Fraction
        >>> from theory.dherin2022 import expected_geometric_complexity
        >>> he = [Fraction(2, 784), Fraction(2, 100), Fraction(2, 100)]
        >>> print(expected_geometric_complexity(widths=[784, 100, 100, 10], variances=he))
        20
        >>> expected_geometric_complexity(widths=[784, 100, 100, 10], variances=[1 / 784, 0.01, 0.01])
        2.5
    """
    sizes, spreads = _layers(widths, variances)
    exact = all(isinstance(v, (int, Fraction)) for v in spreads)
    total = Fraction(sizes[0])
    for i, (width, variance) in enumerate(zip(sizes[1:], spreads, strict=True)):
        total *= width * Fraction(variance) / (1 if i == len(spreads) - 1 else 2)
    if exact:
        return total
    try:
        return float(total)
    except OverflowError as error:
        raise ValueError("the expected complexity must be within the range of floats, got one beyond it") from error


def dead_probability(hidden_widths: Sequence[int]) -> Fraction:
    """Return the probability that a ReLU network without biases is dead around a point at initialisation (D16.b).

    That is, that some hidden layer is 0 at a given x other than 0, and so the network is 0 near it: 1 - prod (1 - 2^-n_i),
    for independent rows of the kind that `expected_geometric_complexity` asks for.

    Args:
        hidden_widths: n_1, .., n_{l-1}, integers above 0, [l - 1].

    Raises:
        TypeError: if a width is no integer.
        ValueError: if a width is below 1.

    Example:
        >>> from theory.dherin2022 import dead_probability
        >>> float(dead_probability([2, 2]))
        0.4375
    """
    alive = Fraction(1)
    for i, width in enumerate(hidden_widths):
        alive *= 1 - Fraction(1, 2 ** count(f"hidden_widths[{i}]", width))
    return 1 - alive


def entry_variances(scheme: Scheme, widths: Sequence[int]) -> list[Fraction]:
    """Return the entry variances of an initialiser, one a layer, exactly, [l].

    Args:
        scheme: "lecun", "glorot" or "he".
        widths: d, n_1, .., k, integers above 0, [l + 1].

    Raises:
        TypeError: if a width is no integer.
        ValueError: if the scheme is unknown, a width is below 1, or there are no layers.

    Example:
        >>> from theory.dherin2022 import entry_variances
        >>> [str(v) for v in entry_variances("glorot", [3, 5, 1])]
        ['1/4', '1/3']
    """
    if scheme not in get_args(Scheme):
        raise ValueError(f"scheme must be one of {', '.join(map(repr, get_args(Scheme)))}, got {scheme!r}")
    sizes = _sizes(widths)
    pairs = list(pairwise(sizes))
    if scheme == "glorot":
        return [Fraction(2, m + n) for m, n in pairs]
    return [Fraction(1 if scheme == "lecun" else 2, m) for m, _ in pairs]


def _sizes(widths: Sequence[int]) -> list[int]:
    sizes = [count(f"widths[{i}]", width) for i, width in enumerate(widths)]
    if len(sizes) < 2:
        raise ValueError(f"widths must hold the inputs and the outputs of at least one layer, got {len(sizes)} numbers")
    return sizes


def _layers(widths: Sequence[int], variances: Sequence[Any]) -> tuple[list[int], list[Any]]:
    sizes = _sizes(widths)
    spreads = [nonnegative(f"variances[{i}]", variance) for i, variance in enumerate(variances)]
    if len(spreads) != len(sizes) - 1:
        raise ValueError(f"variances must hold one for each of the {len(sizes) - 1} layers, got {len(spreads)}")
    return sizes, [v if isinstance(v, (int, Fraction)) else float(v) for v in spreads]

"""Upper bounds of the largest singular values of many matrices, rigorous in floats: Gram iteration with its errors added.

Of matrices A the Frobenius norms of the iterates A A^*, (A A^*)^2, (A A^*)^4, .. give upper bounds of ||A|| that fall to it
(Delattre et al., ICML 2023); computed in floats and left as they come, they may be below it. What rounding may have taken
is added here: with H_(t+1) the computed H_t H_t^* over s_t, a power of 2, and e_t the error of that product,

    ||H_t||^2 = ||H_t H_t^*|| <= s_t ||H_(t+1)|| + e_t,    ||H_t|| <= ||H_t||_F.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch

from theory.checks import Array
from theory.enclosure import EPS, Enclosure, near_top

PRODUCT = 4.0
"""The Frobenius norm of the error of a complex product A B is at most so many times g ||A||_F ||B||_F, g = n u/(1 - n u).

With n twice the number of terms, as a real part is a sum of so many products of reals; sqrt(2) where parts are multiplied
one by one, in any order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 3.6), less than 4 with three
products for four (23.2.4).
"""

OUTWARD = 1 + 64 * EPS
"""Some operations in float64 on numbers >= 0 lose less than this factor."""


def upper_bounds(matrices: torch.Tensor, floor: float, steps: int) -> tuple[Array, Array]:
    """Return for matrices [m, a, b], a <= b, rigorous upper bounds of their norms, and numbers that are below to rounding.

    Matrices whose upper bound is below `floor`, or below another's lower number, are not looked at again; nor is the last one
    that is left, for which there are better ways (`norm_of`).

    Args:
        matrices: of complex numbers.
        floor: what is not of interest.
        steps: how many products at most.
    """
    unit, tiny = torch.finfo(matrices.dtype).eps / 2, float(torch.finfo(matrices.dtype).tiny)
    rows = matrices.shape[1]
    alive = np.arange(len(matrices))
    scales = _power_of_two(_frobenius(matrices))
    here = matrices / torch.from_numpy(scales).to(matrices.device, matrices.real.dtype)[:, None, None]
    sizes = _frobenius(here) * OUTWARD
    upper = (sizes + rows * tiny) * scales * OUTWARD
    lower = np.zeros(len(matrices))
    chain: list[tuple[Array, Array]] = []  # s_t and e_t of those alive
    for step in range(steps):
        terms = 2 * here.shape[2] + 8
        error = PRODUCT * terms * unit / (1 - terms * unit) * sizes**2 * OUTWARD
        error += rows * tiny  # what underflows
        here = here @ here.mH
        scale = _power_of_two(_frobenius(here))
        here = here / torch.from_numpy(scale).to(here.device, here.real.dtype)[:, None, None]
        sizes = _frobenius(here) * OUTWARD
        chain.append((scale, error))
        top = sizes.copy()
        trace = np.abs(torch.diagonal(here, dim1=1, dim2=2).sum(dim=1).cpu().numpy())
        bottom = np.divide(sizes**2, trace, out=np.zeros_like(sizes), where=trace > 0)
        for s, e in reversed(chain):
            top, bottom = np.sqrt(s * top + e) * OUTWARD, np.sqrt(s * bottom)
        upper[alive] = np.minimum(upper[alive], (top + rows * tiny) * scales[alive] * OUTWARD)
        lower[alive] = np.maximum(lower[alive], bottom * scales[alive] / OUTWARD)
        floor = max(floor, float(lower.max()))
        keep = upper[alive] >= floor
        if keep.sum() <= 1 or step == steps - 1:
            break
        if not keep.all():
            mask = torch.from_numpy(keep).to(here.device)
            alive, here, sizes = alive[keep], here[mask], sizes[keep]
            chain = [(s[keep], e[keep]) for s, e in chain]
    return upper, lower


def _frobenius(matrices: torch.Tensor) -> Array:
    """Return the Frobenius norms, [m], in float64; those of complex64 are summed in float32 and rounded up."""
    parts = torch.view_as_real(matrices.resolve_conj()).flatten(1)
    terms = parts.shape[1] + 4
    unit = torch.finfo(parts.dtype).eps / 2
    norms: Array = torch.linalg.vector_norm(parts, dim=1).cpu().numpy().astype(np.float64)
    tiny = math.sqrt(terms) * math.sqrt(float(torch.finfo(parts.dtype).tiny))  # what underflows when squared
    return norms * (1 + terms * unit / (1 - terms * unit)) + tiny


def _power_of_two(values: Array) -> Array:
    """Return powers of 2 around the values, as far as complex64 can take them; 1 for 0."""
    powers: Array = np.exp2(np.clip(np.ceil(np.log2(np.where(values > 0, values, 1.0))), -120, 120))
    return powers


def norm_of(matrix: Array, error: float = 0.0) -> Enclosure:
    """Return an interval of floats around the norms of all real or complex matrices within `error` of one, [a, b].

    Its Gram matrix on the smaller side is taken in float64, complex ones as real ones of twice the size; then `near_top`.

    Args:
        matrix: of float64 or complex128, finite.
        error: a bound of the Frobenius norm of what may be added to it.
    """
    a = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.conj().T
    largest = float(np.abs(a).max(initial=0.0))
    if largest == 0:
        return Enclosure(0.0, error)
    scale = 2.0 ** math.frexp(largest)[1]
    a = a / scale  # exact, but for what underflows
    if np.iscomplexobj(a):
        a = np.block([[a.real, -a.imag], [a.imag, a.real]])
    gram = a @ a.T
    size, terms = float(np.linalg.norm(a)), a.shape[1] + 8
    lost = terms * EPS / 2 / (1 - terms * EPS / 2) * size**2 * OUTWARD
    gram = (gram + gram.T) / 2
    unit = 2.0 ** math.frexp(float(np.abs(gram).max()))[1]
    top, off = near_top(gram / unit)
    off = (off * unit + lost) * OUTWARD
    found = Enclosure.around(top * unit, off).root().widened(error / scale * OUTWARD).times(Fraction(scale))
    return Enclosure(
        math.nextafter(max(float(found.lower), 0.0), -math.inf) if found.lower > 0 else 0.0,
        math.nextafter(float(found.upper), math.inf),
    )

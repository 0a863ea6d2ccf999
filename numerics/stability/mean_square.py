"""The step size beyond which SGD leaves an interpolating minimum, in mean square, with a certificate.

Of features phi_i, the gradients of f(x_i), H_i = phi_i phi_i^T, for batches drawn anew (`numerics.stability.secular`) or by
reshuffling (`numerics.stability.reshuffling`); of any Hessians H_i, for batches drawn anew, in few dimensions
(`numerics.stability.general_threshold`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import get_args

import numpy as np
import torch

from numerics.stability.general_threshold import proves_for_hessians, scaled_by, threshold_of_hessians
from numerics.stability.momentum import Spread, keeps, momentum_of, of_features, of_hessians, threshold_with_momentum
from numerics.stability.momentum import ceiling as momentum_ceiling
from numerics.stability.reshuffling import RESHUFFLED_POINTS, first_unstable, proves
from numerics.stability.secular import below, ceiling, floor, solve
from numerics.stability.spectrum import Spectrum, spectrum_of
from numerics.stability.threshold import Certificate, Method, Threshold
from theory.checks import Array
from theory.checks import batch_size as checked_batch
from theory.enclosure import EPS
from theory.linear_stability import noise_share
from theory.symbols import Loss, Sampling, loss_scale


def mean_square_threshold(
    features: object,
    batch_size: int,
    *,
    momentum: float = 0.0,
    sampling: Sampling = "without_replacement",
    loss: Loss = "half_mean",
) -> Threshold:
    """Return the largest step size for which E ||a||^2 stays bounded near an interpolating minimum (B3; B9).

    For batches drawn anew, SGD is stable up to the threshold, inclusive, and not beyond (mulayoff2024, with H_i = phi_i
    phi_i^T); it costs O(n^2 d) for the Gram matrix and some dozens of products of n x n matrices. For reshuffling, each
    epoch runs through a new uniformly random order in batches of B, the last one smaller if B does not divide n, each
    batch averaged over its own size. There stability need not be monotone in the step size: two features 1 and 1/10 on
    the line, B = 1, are stable up to 2.02, then not, and again at 100. `value` is where the first stable interval ends, as
    found by a scan with ratio 65/64 from 2/max_batch lambda_max(H_batch), up to which no batch expands; an unstable interval
    narrower than the scan's steps goes unseen. That SGD is stable at `lower` and not at `upper` is certified.

    Instead of features it takes Hessians H_i of any rank, for batches drawn anew; they cost an eigenproblem of d (d + 1)/2
    dimensions and the sum of n matrices of d^2 x d^2 entries.

    With momentum (B11), for batches drawn anew: E ||a||^2 goes to 0 below the threshold and not at it. It is larger than
    without where little noise is left, up to 2 (1 + b)/h_max at B = n, and smaller where most is. It costs Lanczos steps of
    O(n r^2), r the rank of the features.

    Args:
        features: the gradients phi_i of f(x_i) in the weights, one example a row, [n, d]; numbers, an array or a tensor, in
            float64. Or the Hessians H_i of the examples' losses, symmetric, positive semidefinite up to rounding, [n, d, d],
            d <= 40.
        batch_size: B, from 1 to n.
        momentum: b, from 0 to below 1, as in v' = b v + g, w' = w - eta v' (`torch.optim.SGD`).
        sampling: how batches are drawn.
        loss: the loss that step sizes belong to, (1/2n) sum r_i^2 or (1/n) sum r_i^2, for which they are half as large. Of
            Hessians it is the one that they are of: leave it.

    Raises:
        TypeError: if an entry of `features` is no real number, or `batch_size` no integer.
        ValueError: if `features` is neither [n, d] with n, d >= 1 nor such Hessians, holds nan or inf, or is so large or small
            that the threshold is no float; if `batch_size` is not between 1 and n, or `momentum` not from 0 to below 1; if
            `sampling` or `loss` is unknown, or not for Hessians or momentum; or for reshuffling of more than
            `RESHUFFLED_POINTS` points.
        RuntimeError: if an iteration does not converge, for reshuffling if the features are too nearly dependent for a
            certificate, or for Hessians if directions differ too much in curvature.

    Example:
        >>> import numpy as np
        >>> from numerics import mean_square_threshold
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> features = weights.tangent_features(x)
        >>> [round(mean_square_threshold(features, batch).value, 4) for batch in (1, 2, 4)]
        [0.7623, 1.1871, 1.3656]
        >>> round(mean_square_threshold(features, 1, sampling="reshuffling").value, 4)
        0.8304
        >>> [round(mean_square_threshold(features, batch, momentum=0.9).value, 4) for batch in (1, 4)]
        [0.1255, 2.5947]
    """
    scale = loss_scale(loss)
    b = momentum_of(momentum)
    if b:
        return _with_momentum(features, batch_size, b, sampling, loss)
    if _hessians(features, loss):
        return threshold_of_hessians(features, batch_size, sampling)
    spectrum, share = _problem(features, batch_size, sampling)
    if spectrum.values[-1] == 0:
        return Threshold(math.inf, math.inf, math.inf, "zero", Certificate(np.empty(0), np.empty(0)))
    if share is None:
        value, lower, upper, matrices = first_unstable(spectrum, batch_size)
        certificate = Certificate(*matrices)
        method: Method = "scan"
    else:
        lam, vector = solve(spectrum, share)
        above, stable = ceiling(spectrum, share, vector)
        least = floor(spectrum.loosened, share, lam, vector) * (1 - 8 * EPS)
        if not 0 < least <= above:
            raise RuntimeError(f"no bounds were found: {least} and {above} around {lam}")
        lower, upper = 2 / above * (1 - 2 * EPS), 2 / least * (1 + 2 * EPS)
        value, method = min(max(2 / lam, lower), upper), "secular" if share else "sharpness"
        certificate = Certificate(stable, vector)
    value, lower, upper = (_scaled(end / scale, -spectrum.exponent) for end in (value, lower, upper))
    return Threshold(value, lower, upper, method, certificate)


def verify(
    threshold: Threshold,
    features: object,
    batch_size: int,
    *,
    momentum: float = 0.0,
    sampling: Sampling = "without_replacement",
    loss: Loss = "half_mean",
) -> bool:
    """Return whether the certificate proves lower <= threshold <= upper for these features, without solving for it.

    The eigendecomposition of K is done again, and its residual enters the bounds: lam is bounded from above for
    K + epsilon I, and from below for every matrix within epsilon of K. Rounding is allowed for by a priori bounds on sums in
    any order with twice the unit roundoff, so `True` is a proof for the float64 features as given. For reshuffling it is
    one for features whose Gram matrix differs from the given one by rounding (the range of K is that of its eigenvalues
    above 32 n eps h_max), and says that SGD is stable at `lower` and not at `upper`. For Hessians rounding is bounded a priori
    too, and the least eigenvalue of a symmetric matrix [r, r] is taken to be within r eps of its Frobenius norm; where their
    mean is singular, `True` speaks of their projections on its eigenvectors above its rounding errors. With momentum the
    certificate is put to the test in floats, and rounding is allowed for only roughly: `True` is a check and no proof.

    Args:
        threshold: what `mean_square_threshold` returned.
        features: as there, [n, d], or Hessians [n, d, d].
        batch_size: as there.
        momentum: as there.
        sampling: as there.
        loss: as there.

    Raises:
        TypeError: as there.
        ValueError: as there, but for the range of the threshold.

    Example:
        >>> from numerics.stability import mean_square_threshold, verify
        >>> features = [[1.0, 0.0], [1.0, 1.0]]
        >>> verify(mean_square_threshold(features, batch_size=1), features, batch_size=1)
        True
    """
    scale = loss_scale(loss)
    b = momentum_of(momentum)
    if b:
        return _holds_with_momentum(threshold, features, batch_size, b, sampling, loss)
    if _hessians(features, loss):
        return proves_for_hessians(threshold, features, batch_size, sampling)
    spectrum, share = _problem(features, batch_size, sampling)
    certificate, n = threshold.certificate, len(spectrum.values)
    if spectrum.values[-1] == 0:
        return threshold.lower == threshold.value == threshold.upper == math.inf
    if not 0 < threshold.lower <= threshold.value <= threshold.upper < math.inf:
        return False
    try:
        lower, upper = (_scaled(end * scale, spectrum.exponent) for end in (threshold.lower, threshold.upper))
    except ValueError:
        return False
    shape = (n,) if share is not None else (n, n)
    if any(part.shape != shape or not np.all(np.isfinite(part)) for part in (certificate.stable, certificate.unstable)):
        return False
    if share is None:
        return (proves(spectrum, batch_size, lower, certificate.stable) == "stable") and (
            proves(spectrum, batch_size, upper, certificate.unstable) == "unstable"
        )
    most, least = 2 / lower * (1 - EPS), 2 / upper * (1 + EPS)
    return below(spectrum, share, most, certificate.stable) and bool(
        floor(spectrum, share, least, certificate.unstable) >= least
    )


def _momentum_problem(
    features: object, batch: int, sampling: Sampling, loss: Loss
) -> tuple[Array, Spread, float, Callable[[float, int], float]]:
    """Return the eigenvalues of H, the mean of the H_i X H_i, p, and what takes step sizes there (1) and back (-1).

    Raises:
        ValueError: if an argument is out of range, or batches are not drawn anew.
    """
    if sampling == "reshuffling":
        raise ValueError(
            "sampling must not be 'reshuffling' with momentum, whose threshold is known for batches drawn anew"
        )
    scale = loss_scale(loss)
    if _hessians(features, loss):
        levels, spread, share, power = of_hessians(features, batch, sampling)
        return levels, spread, share, lambda step, way: scaled_by(step, way * power)
    spectrum, fraction = _problem(features, batch, sampling)
    levels, spread = of_features(spectrum) if spectrum.values[-1] > 0 else (np.empty(0), lambda x: x)
    return levels, spread, float(fraction or 0), lambda step, way: _scaled(step * scale**way, way * spectrum.exponent)


def _with_momentum(features: object, batch: int, b: float, sampling: Sampling, loss: Loss) -> Threshold:
    """Return the threshold with momentum.

    Raises:
        ValueError: if an argument is out of range.
    """
    levels, spread, share, moved = _momentum_problem(features, batch, sampling, loss)
    found = threshold_with_momentum(levels, spread, share, b)
    if found.method == "zero":
        return found
    value, lower, upper = (moved(end, -1) for end in (found.value, found.lower, found.upper))
    return Threshold(value, lower, upper, found.method, found.certificate)


def _holds_with_momentum(
    threshold: Threshold, features: object, batch: int, b: float, sampling: Sampling, loss: Loss
) -> bool:
    """Return whether the certificate holds in floats.

    Raises:
        ValueError: if an argument is out of range.
    """
    levels, spread, share, moved = _momentum_problem(features, batch, sampling, loss)
    shape, certificate = (len(levels),) * 2, threshold.certificate
    if not len(levels):
        return threshold.lower == threshold.value == threshold.upper == math.inf
    if not 0 < threshold.lower <= threshold.value <= threshold.upper < math.inf:
        return False
    if any(part.shape != shape or not np.all(np.isfinite(part)) for part in (certificate.stable, certificate.unstable)):
        return False
    try:
        lower, upper = (moved(end, 1) for end in (threshold.lower, threshold.upper))
    except ValueError:
        return False
    near = 1 + 64 * EPS * len(levels)
    return keeps(levels, spread, share, b, lower / near, certificate.stable) and (
        momentum_ceiling(levels, spread, share, b, certificate.unstable) <= upper * near
    )


def _hessians(features: object, loss: Loss) -> bool:
    """Return whether these are Hessians, [n, d, d], and not features, [n, d].

    Raises:
        ValueError: if they are and a loss is asked for.
    """
    axes = features.ndim if isinstance(features, (np.ndarray, torch.Tensor)) else _depth(features)
    if axes == 3 and loss != "half_mean":
        raise ValueError(f"loss must be left alone for Hessians, which are those of the loss itself, got {loss!r}")
    return axes == 3


def _depth(values: object) -> int:
    """Return how deep sequences are nested, by their first entries."""
    return 1 + _depth(values[0]) if isinstance(values, Sequence) and not isinstance(values, str) and values else 0


def _scaled(value: float, exponent: int) -> float:
    """Return value 4^exponent, exactly.

    Raises:
        ValueError: if that is no normal float.
    """
    try:
        scaled = math.ldexp(value, 2 * exponent)
    except OverflowError:
        scaled = math.inf
    if not np.finfo(np.float64).tiny <= scaled < math.inf:
        raise ValueError("features must be of a size for which the threshold is a float, got ones beyond it")
    return scaled


def _problem(features: object, batch: int, sampling: Sampling) -> tuple[Spectrum, Fraction | None]:
    """Return the spectrum of the Gram matrix, and p for batches drawn anew.

    Raises:
        ValueError: if an argument is out of range.
    """
    if sampling not in get_args(Sampling):
        raise ValueError(f"sampling must be one of {', '.join(map(repr, get_args(Sampling)))}, got {sampling!r}")
    spectrum = spectrum_of(features)
    n = len(spectrum.values)
    b = checked_batch(batch, n)
    if sampling == "reshuffling" and n > RESHUFFLED_POINTS:
        raise ValueError(
            f"sampling must not be 'reshuffling' for more than {RESHUFFLED_POINTS} points, where its threshold is not "
            f"available exactly, got {n} points; reshuffling_growth estimates the growth at one step size"
        )
    shares = {"without_replacement": noise_share(n, b), "with_replacement": Fraction(1, b), "reshuffling": None}
    return spectrum, shares[sampling]

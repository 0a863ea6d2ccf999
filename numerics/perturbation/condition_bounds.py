"""Lemmas 1 to 3 and Theorem 1 of neyshabur2017, section 4, on any ReLU network: what noise does, and what they say of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from numerics.perturbation.conditions import Undefined, measured, point_norms
from numerics.perturbation.relu_layers import ReLULayers, relu_layers
from theory.checks import Array, count, positive, share
from theory.neyshabur2017.perturbation import confidence_root
from theory.neyshabur2017.perturbation_bounds import deviations

AT_ONCE = 1 << 22
"""Activations of a layer that are held for draws at once."""


@dataclass(frozen=True, eq=False)
class Sides:
    """A statement left <= right, with a constant 1 for O(.).

    Attributes:
        left: as estimated from draws, a scalar or one for each layer, [d] or [d - 1].
        error: its standard error, a scalar or [d] or [d - 1]; 0 where it is an order statistic of the draws.
        right: what is stated to be at least as large, a scalar or one for each layer, [d] or [d - 1]; inf where it is beyond
            the range of floats.
    """

    left: Array
    error: Array
    right: Array


@dataclass(frozen=True, eq=False)
class NoiseEffect:
    """What noise on the weights does at one point, and what neyshabur2017 says of it.

    f~ is the network with noise and the pattern of active units of f, Err_k = f_{w+nu}^k - f~^k. In the bounds are the
    largest mu <= 1, the least C_2 for every delta and the least C_3 of the point, and 1 for the constant of O(.): with it
    Lemma 2 and Theorem 1 are false of some networks, and with any (N16, N16.b, N18).

    Attributes:
        mu: of C1, a <= c.
        c2: of C2; inf if a hidden unit is given 0.
        c3: of C3.
        gammas: s_i sqrt(h_i h_{i-1}) / (mu^2 ||D_i W_i||_F), [d].
        gammas_of_theorem: with ||W_i||_F, as Theorem 1 has it, [d].
        lemma_1: E|f~ - f| and (prod (1 + gamma_i) - 1) |f|.
        root_mean_square: (E|f~ - f|^2)^(1/2), exact to rounding.
        fixed_pattern_bound: ((prod (1 + gamma_i^2) - 1))^(1/2) |f|, which it is at most (N15.b).
        lemma_2_switches: of each hidden layer k, [d - 1], the (1 - delta)-quantile of the number of units that switch, and
            C_2 h_k C_delta s_k |f^{k-1}|.
        lemma_2_failures: the share of draws in which more units of some layer switch than that.
        lemma_2_error: E|Err_k| of each layer, [d], and prod_{i<=k} (1 + gamma_i C_2 C_3) (prod_{i<=k} (1 + gamma_i C_delta
            C_2) - 1) |f^k|.
        lemma_3: E|A nu_k B| of each layer, [d], and s_k ||A||_F ||B||_F, with A the product of what comes after nu_k in f~
            without other noise, and B = f^{k-1}.
        theorem_1: E|f_{w+nu} - f|, and the first term of Theorem 1 at this point with C_L = 1.
        unconditional: a_d, which (E|f_{w+nu} - f|^2)^(1/2) is at most, whatever the conditions (B17, N18.a); to
            rounding.
    """

    mu: float
    c2: float
    c3: float
    gammas: Array
    gammas_of_theorem: Array
    lemma_1: Sides
    root_mean_square: float
    fixed_pattern_bound: float
    lemma_2_switches: Sides
    lemma_2_failures: float
    lemma_2_error: Sides
    lemma_3: Sides
    theorem_1: Sides
    unconditional: float


def noise_effects(
    model: Any,
    x: Any,
    standard_deviations: Any,
    *,
    delta: float = 0.1,
    draws: int = 1000,
    seed: int = 0,
    input_norm: float | None = 1.0,
) -> tuple[NoiseEffect | Undefined, ...]:
    """Return both sides of Lemmas 1 to 3 and Theorem 1 of neyshabur2017 at points of a ReLU network.

    The noise is normal, independent, on all weights and biases. What the units of a layer get of it is normal given what
    comes in, so that it is drawn for each unit, not for each weight, with the same distribution; f_{w+nu} and f~ have the
    same noise. Biases are weights of a unit that is always 1, as in `conditions`, which has no noise on its own.

    Args:
        model: linear layers with a ReLU between, in eval mode.
        x: the points, [m, ...], floats.
        standard_deviations: s_i of the noise on the weights of each layer, at least 0, one or [d].
        delta: the probability of the lemmas, above 0 and at most 1; C_delta = 2 sqrt(ln(d h/delta)).
        draws: of the noise at each point, at least 2.
        seed: of the draws, at least 0.
        input_norm: the Euclidean norm that each point is scaled to, 1 as in Theorem 1; None leaves them as they are.

    Returns:
        What is found at each point; `Undefined` where the outputs are all 0, for then C1 fails or D_i W_i is 0.

    Raises:
        TypeError: if `model` is no module, x holds no floats, or a number has the wrong type.
        ValueError: if a number is out of its range, there are not as many deviations as layers, x is empty or not finite, a
            point that is to be scaled is 0, or the model has a layer without units, uses a parameter twice, is not in eval
            mode, or fails on x.
        UnsupportedLayerError: if the model has another layer, or others in their place.

    Example:
        >>> import torch
        >>> from numerics.perturbation import noise_effects
        >>> model = torch.nn.Sequential(
        ...     torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 1, bias=False)
        ... )
        >>> _ = model[0].weight.data.fill_(2.0)
        >>> _ = model[2].weight.data.fill_(3.0)
        >>> [found] = noise_effects(model, torch.tensor([[1.0]]), [0.2, 0.3])
        >>> round(found.root_mean_square, 6), round(found.fixed_pattern_bound, 6)  # both 6 (1.01^2 - 1)^(1/2)
        (0.850647, 0.850647)
    """
    risk = float(share("delta", positive("delta", delta)))
    draws, seed = count("draws", draws, fewest=2), count("seed", seed, fewest=0)
    given = standard_deviations if np.ndim(standard_deviations) else [standard_deviations]
    sigma = deviations("standard_deviations", given).astype(np.float64)
    network = relu_layers(model, x, input_norm)
    d = len(network.weights)
    if np.ndim(standard_deviations) == 0:
        sigma = np.repeat(sigma, d)
    if len(sigma) != d:
        raise ValueError(
            f"standard_deviations must be one number or one for each of the {d} layers, got {len(sigma)} of them"
        )
    spectral = [float(torch.linalg.svdvals(weight)[0]) for weight in network.weights]
    return tuple(
        _at_point(
            ReLULayers(network.weights, network.points[i : i + 1], network.added),
            sigma,
            spectral,
            risk,
            draws,
            seed + i,
        )
        for i in range(len(network.points))
    )


def _at_point(
    network: ReLULayers, sigma: Array, spectral: Sequence[float], risk: float, draws: int, seed: int
) -> NoiseEffect | Undefined:
    """Return what is found at the one point of a network."""
    found = measured(network)
    mu = found.mu
    if isinstance(mu, Undefined) or not found.output_norms[0]:
        return Undefined("the outputs at the point are all 0: C1 holds for no mu above 0, or some D_i W_i is 0")
    mu, c2, c3 = min(mu, 1.0), found.least_c2, found.c3
    h, d = np.array(found.widths, dtype=float), len(network.weights)
    given = [z[0] for z in network.pre_activations()]
    norms = point_norms(network, given, 0)
    # f^0 to f^d
    sizes = np.exp(norms.logs[0])
    scaled = sigma * np.sqrt(h[1:] * h[:-1]) / mu**2
    gammas = scaled / np.exp([norms.logs[i, i] for i in range(1, d + 1)])
    of_theorem = scaled / np.array([float(weight.norm()) for weight in network.weights])
    spread = float(confidence_root(d * int(h[1:].max()), Fraction(risk)).upper)
    drawn = _drawn(network, given, sigma, draws, seed)
    limits = _times(sigma * sizes[:-1] * spread * h[1:], c2)[:-1]
    switched = np.quantile(drawn.switches, 1 - risk, axis=0, method="higher") if d > 1 else np.zeros(0)
    seen = np.exp(norms.seen[np.arange(1, d + 1), d])
    stated = _growth(of_theorem) + _second_factor(of_theorem, c2, c3, spread)
    return NoiseEffect(
        mu,
        c2,
        c3,
        gammas,
        of_theorem,
        Sides(*_mean(drawn.fixed), _growth(gammas)[-1] * sizes[-1]),
        _root_mean_square(norms.seen, sizes, sigma),
        float(np.sqrt(_growth(gammas**2)[-1]) * sizes[-1]),
        Sides(switched, np.zeros(d - 1), limits),
        float(np.mean((drawn.switches > limits).any(axis=1))),
        Sides(*_mean(drawn.errors), _second_factor(gammas, c2, c3, spread) * sizes[1:]),
        Sides(*_mean(_single(network, given, sigma, draws, seed) * sizes[:-1]), sigma * seen * sizes[:-1]),
        Sides(*_mean(drawn.whole), stated[-1] * sizes[-1]),
        _unconditional(network, spectral, sizes, sigma),
    )


def _times(numbers: Array, factor: float) -> Array:
    """Return the products, 0 where a number is 0 and the factor inf."""
    result: Array = np.multiply(numbers, factor, out=np.zeros(len(numbers)), where=numbers != 0)
    return result


def _growth(numbers: Array) -> Array:
    """Return prod_{i<=k} (1 + g_i) - 1 for each k."""
    with np.errstate(over="ignore"):
        result: Array = np.expm1(np.cumsum(np.log1p(numbers)))
    return result


def _second_factor(gammas: Array, c2: float, c3: float, spread: float) -> Array:
    """Return prod_{i<=k} (1 + gamma_i C_2 C_3) (prod_{i<=k} (1 + gamma_i C_delta C_2) - 1) for each k."""
    return (1 + _growth(_times(gammas * c3, c2))) * _growth(_times(gammas * spread, c2))


def _root_mean_square(seen: Array, sizes: Array, sigma: Array) -> float:
    """Return (E|f~ - f|^2)^(1/2).

    t_k = E|f~^k|^2 is |f^k|^2 + sum_{i<=k} s_i^2 t_{i-1} S_ik^2, S_ik the norm in `PointNorms.seen`: given the noise below
    layer i, what that of the layer adds has mean 0.
    """
    moments = [sizes[0] ** 2]
    added = 0.0
    for k in range(1, len(sizes)):
        added = sum((sigma[i - 1] * math.exp(seen[i, k])) ** 2 * moments[i - 1] for i in range(1, k + 1))
        moments.append(sizes[k] ** 2 + added)
    return math.sqrt(added)


def _unconditional(network: ReLULayers, spectral: Sequence[float], sizes: Array, sigma: Array) -> float:
    """Return a_d of B17.

    a_0 = 0, a_i^2 = ||W_i||_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}| + a_{i-1})^2, h_i the units with noise.
    """
    effect = 0.0
    for i, (norm, size, s) in enumerate(zip(spectral, sizes, sigma, strict=False), 1):
        units = network.noisy(i).stop
        effect = math.hypot(norm * effect, s * math.sqrt(units) * (size + effect))
    return effect


def _mean(values: Array) -> tuple[Array, Array]:
    """Return the mean over draws, on the first axis, and its standard error."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(len(values))


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What comes of each draw: |f~ - f| and |f_{w+nu} - f|, [r]; units that switch, [r, d - 1]; |Err_k|, [r, d]."""

    fixed: Array
    whole: Array
    switches: Array
    errors: Array


def _drawn(network: ReLULayers, given: Sequence[torch.Tensor], sigma: Array, draws: int, seed: int) -> _Drawn:
    """Return what noise does at the one point of a network.

    Given what comes in, u in f_{w+nu} and v in f~, the noise of a unit gives s (nu . u) and s (nu . v), which are normal with
    the products of u and v as covariances.
    """
    generator = torch.Generator().manual_seed(seed)
    d, most = len(network.weights), max(1, AT_ONCE // max(network.widths))
    parts: list[list[torch.Tensor]] = []
    for first in range(0, draws, most):
        moving = still = network.points.expand(min(most, draws - first), -1)
        switches, errors = [], []
        for i, (weight, s) in enumerate(zip(network.weights, sigma, strict=True), 1):
            own, other = _noise(moving, still, len(weight), generator)
            z, fixed = moving @ weight.T, still @ weight.T
            z[:, network.noisy(i)] += s * own[:, network.noisy(i)]
            fixed[:, network.noisy(i)] += s * other[:, network.noisy(i)]
            on = given[i - 1] > 0
            if i < d:
                switches.append(((z > 0) != on).sum(dim=1))
            moving, still = (z.clamp(min=0), fixed * on) if i < d else (z, fixed)
            errors.append((moving - still).norm(dim=1))
        output = given[-1]
        parts.append(
            [
                (still - output).norm(dim=1),
                (moving - output).norm(dim=1),
                torch.stack(switches, dim=1) if switches else torch.zeros(len(moving), 0),
                torch.stack(errors, dim=1),
            ]
        )
    return _Drawn(*(torch.cat(columns).cpu().numpy() for columns in zip(*parts, strict=True)))


def _noise(
    u: torch.Tensor, v: torch.Tensor, units: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return nu . u and nu . v for as many independent standard normal nu as there are units, [r, units] each."""
    g, other = (torch.randn(len(u), units, generator=generator, dtype=torch.float64).to(u.device) for _ in range(2))
    length = u.norm(dim=1, keepdim=True)
    along = torch.where(length > 0, (u * v).sum(dim=1, keepdim=True) / length, 0)
    # |v - (v . u) u/|u|^2|, without the cancellation of a difference of squares
    across = (v - u * torch.where(length > 0, along / length, 0)).norm(dim=1, keepdim=True)
    return length * g, along * g + across * other


def _single(network: ReLULayers, given: Sequence[torch.Tensor], sigma: Array, draws: int, seed: int) -> Array:
    """Return s_k |A_k g| for standard normal g and A_k = W_d D_{d-1} .. W_{k+1} D_k, [r, d]."""
    generator = torch.Generator().manual_seed(seed)
    d = len(network.weights)
    after = torch.eye(len(given[-1]), dtype=torch.float64, device=given[-1].device)
    found = []
    for k in range(d, 0, -1):
        if k < d:
            after = (after @ network.weights[k]) * (given[k - 1] > 0)
        seen = after[:, network.noisy(k)]
        # A g has the distribution of R^T g' with A^T = Q R, which needs no more numbers than there are outputs
        triangle = torch.linalg.qr(seen.T, mode="r").R
        g = torch.randn(draws, len(triangle), generator=generator, dtype=torch.float64).to(after.device)
        found.append(float(sigma[k - 1]) * (g @ triangle).norm(dim=1).cpu().numpy())
    return np.stack(found[::-1], axis=1)

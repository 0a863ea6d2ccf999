"""Operator norms of linear layers and convolutions, as they are: lower and upper bounds that hold in floats."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from numerics.geometric_complexity.certified import OUTWARD, norm_of, upper_bounds
from numerics.smoothness.points import require
from theory.checks import Array
from theory.checks import count as integer
from theory.enclosure import EPS

DENSE = 1024
"""A layer with fewer inputs or fewer outputs than so many, and not too many of the others, is written out as a matrix."""

DENSE_ENTRIES = 2**23
"""Such a matrix has at most so many entries, 64 MB."""

BLOCK_BYTES = 2**26
"""Matrices at so many frequencies are held at once that they take so much memory, at least one."""

PRODUCTS = 10
"""So many times Gram matrices are multiplied at most: the bound is then too large by less than n^(1/4096) for n channels."""

FINISHED = 8
"""So many frequencies at most, where the norm may be, are looked at in float64."""

REFINEMENTS = 12
"""Steps of the search for the frequency with the largest norm, from a coarse grid."""

STARTS = 3
"""So many frequencies of the grid are searched from."""

TORI = 4
"""So many tori are tried at most, until the bounds are close."""

CLOSE = 1.005
"""Bounds with this ratio are close enough."""

LARGER = 4
"""A torus is made so many steps larger at most, for its frequencies to lie well."""

POWER_ITERATIONS = 12
"""Steps of the power iteration for the lower bound, from a wave at the largest frequency."""

Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class OperatorNorm:
    """Bounds of the largest singular value of a linear map.

    Attributes:
        lower: at most the norm: the length of the image of a vector, or an eigenvalue, less what rounding may have added.
        upper: at least the norm, with all that rounding may have taken.
        method: where the upper bound is from: the matrix of the map; or, of a convolution, of its matrices at the
            frequencies of a torus that the padded input fits on.
    """

    lower: float
    upper: float
    method: str


def operator_norm(
    layer: Any, input_shape: tuple[int, ...] | list[int], *, power_iterations: int = POWER_ITERATIONS
) -> OperatorNorm:
    """Return bounds of the norm of a linear layer or a convolution as a map between Euclidean spaces; biases play no part.

    Convolutions are what they are on inputs of this size: with their stride, dilation, groups and padding. Small ones
    are written out as matrices. Of others with zero padding the upper bound is the norm on a torus of the size of the
    padded input, of which they are a part, so it may be a little above the norm; on a torus a convolution is a matrix at
    each frequency (Sedghi, Gupta, Long, ICLR 2019), strided ones after space-to-depth. Matrices at all frequencies
    go through a Gram iteration with error bounds, `certified.upper_bounds`, and the few that are left through LAPACK
    with its residual added, so that the bound holds in floats. Circular, reflecting and replicating padding multiply
    the bound by the norm of the padding where the torus does not take it in.

    Args:
        layer: a `Linear`, `Conv1d`, `Conv2d` or `Conv3d`, in any floating-point type.
        input_shape: of one input, without the axis of the batch: (..., d), or (c, n) to (c, n, n, n).
        power_iterations: how many steps the lower bound gets, where the layer is not written out.

    Raises:
        TypeError: if `layer` is of another kind, or `input_shape` does not hold integers.
        ValueError: if a weight is not finite, or the shape is not one that the layer takes.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import operator_norm
        >>> layer = torch.nn.Conv1d(1, 1, 2, padding=1, bias=False)
        >>> _ = layer.weight.data.fill_(1.0)
        >>> found = operator_norm(layer, (1, 3))
        >>> round(found.lower, 6), round(found.upper, 6)  # 2 cos(pi/8)
        (1.847759, 1.847759)
    """
    require("layer", layer, nn.Linear, *CONVOLUTIONS)
    shape = tuple(integer("input_shape", size) for size in input_shape)
    steps = integer("power_iterations", power_iterations, fewest=0)
    weight = weight_of(layer)
    if isinstance(layer, nn.Linear):
        if not shape or shape[-1] != layer.in_features:
            raise ValueError(f"input_shape must end in {layer.in_features} for this layer, got {shape}")
        return _of_matrix(weight.numpy())
    linear = cast(Convolution, with_weight(layer, weight))
    outputs = _output_shape(layer, linear, shape)
    inputs = math.prod(shape)
    if min(inputs, outputs) <= DENSE and inputs * outputs <= DENSE_ENTRIES:
        matrix = _written_out(linear, shape)
        # Numbers that are summed where padding repeats an entry: as many roundings as there are weights, at most.
        repeats = 0 if layer.padding_mode == "zeros" else math.prod(layer.kernel_size)
        return _of_matrix(matrix, repeats * EPS * float(np.linalg.norm(matrix)))
    taps, factor = _taps_of(layer, weight, shape[1:])
    peaks = [_peak(taps)] if taps.free else []
    lower, upper = 0.0, math.inf
    for _ in range(TORI if taps.free else 1):
        if peaks:
            lower = max(lower, _rayleigh(linear, _wave(layer, taps, shape, peaks[-1]), steps))
        found, peak = _largest(_placed(taps, peaks), lower / factor)
        upper = min(upper, found * factor * OUTWARD)
        peaks.append(peak)
        if upper <= CLOSE * lower:
            break
    lower = max(lower, _rayleigh(linear, _wave(layer, taps, shape, peaks[-1]), steps))
    return OperatorNorm(min(lower, upper), upper, "frequencies")


def reshaped_kernel_norm(layer: Any) -> OperatorNorm:
    """Return bounds of the norm of a layer's weight as a matrix [outputs, the rest]: a convention, no norm of the map.

    It is what is often called the spectral norm of a convolution (Miyato et al., ICLR 2018). A convolution with k weights
    a channel and stride 1 has an operator norm of at most sqrt(k) times as much, and may have less or more than this.

    Args:
        layer: a `Linear`, `Conv1d`, `Conv2d` or `Conv3d`.

    Raises:
        TypeError: if `layer` is of another kind.
        ValueError: if a weight is not finite.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import reshaped_kernel_norm
        >>> layer = torch.nn.Conv1d(1, 1, 2, bias=False)
        >>> _ = layer.weight.data.fill_(1.0)
        >>> round(reshaped_kernel_norm(layer).upper, 6)
        1.414214
    """
    require("layer", layer, nn.Linear, *CONVOLUTIONS)
    weight = weight_of(layer)
    return _of_matrix(weight.reshape(len(weight), -1).numpy())


def weight_of(layer: nn.Linear | Convolution) -> torch.Tensor:
    """Return the weight in float64 on the CPU.

    Raises:
        ValueError: if it is not finite.
    """
    weight = layer.weight.detach().to("cpu", torch.float64)
    if not bool(torch.isfinite(weight).all()):
        raise ValueError("layer must have finite weights, got nan or inf")
    return weight


def _of_matrix(matrix: Array, error: float = 0.0) -> OperatorNorm:
    found = norm_of(matrix, error)
    return OperatorNorm(float(found.lower), float(found.upper), "matrix")


def with_weight(layer: Any, weight: torch.Tensor) -> nn.Linear | Convolution:
    """Return a linear layer or a convolution with another weight of the same shape in float64, no bias, on the CPU."""
    kind: Any = type(layer)
    if isinstance(layer, nn.Linear):
        linear: nn.Linear | Convolution = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
    else:
        linear = kind(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            bias=False,
            padding_mode=layer.padding_mode,
            dtype=torch.float64,
            device="meta",  # not drawn, to be thrown away
        )
    linear.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    return linear


def _output_shape(layer: Convolution, linear: Convolution, shape: tuple[int, ...]) -> int:
    """Return how many outputs a convolution has.

    Raises:
        ValueError: if it does not take inputs of this shape.
    """
    axes = len(layer.kernel_size)
    if len(shape) != axes + 1 or shape[0] != layer.in_channels:
        sizes = ", ".join("n" * axes)
        raise ValueError(f"input_shape must be ({layer.in_channels}, {sizes}) for this layer, got {shape}")
    try:
        with torch.no_grad():
            return int(linear(torch.zeros(1, *shape, dtype=torch.float64)).numel())
    except RuntimeError as error:
        raise ValueError(f"input_shape must be one that the layer takes, got {shape}: {error}") from None


def _written_out(linear: Convolution, shape: tuple[int, ...]) -> Array:
    """Return the matrix [outputs, inputs]: every entry is a weight, or a sum of some where padding repeats entries."""
    inputs = math.prod(shape)
    with torch.no_grad():
        rows = [
            linear(part.reshape(-1, *shape)).reshape(len(part), -1)
            for part in torch.eye(inputs, dtype=torch.float64).split(256)
        ]
    matrix: Array = torch.cat(rows).T.contiguous().numpy()
    return matrix


@dataclass(frozen=True, eq=False)
class _Taps:
    """A convolution of stride 1 on a torus: y(i) = sum over taps of W_q x(i + q), q a tap's place.

    Attributes:
        weights: [groups, outputs, inputs, taps], both counted a group, the inputs after space-to-depth.
        places: [taps, axes], in steps of the stride.
        size: of the torus along each axis, [axes].
        twist: along each axis 0, or 1 if going round turns the sign, [axes]: the frequencies are then between the others.
        free: whether any torus that is not smaller holds the layer, and with any twist.
    """

    weights: Array
    places: Array
    size: tuple[int, ...]
    twist: tuple[int, ...]
    free: bool


@dataclass(frozen=True, eq=False)
class _Peak:
    """Where the norm of the matrix at a frequency is large.

    Attributes:
        group: of which group of channels.
        frequency: in turns a step, [axes], anywhere between 0 and 1.
        vector: the input there that is made longest, [inputs].
    """

    group: int
    frequency: Array
    vector: Array


def _taps_of(layer: Convolution, weight: torch.Tensor, sizes: tuple[int, ...]) -> tuple[_Taps, float]:
    """Return the convolution on a torus that a layer is a part of, and the norm of its padding where that is another."""
    befores, afters = _paddings(layer)
    stride, factor, torus = list(layer.stride), 1.0, []
    for axis, (n, before, after) in enumerate(zip(sizes, befores, afters, strict=True)):
        s = stride[axis]
        reach = (layer.kernel_size[axis] - 1) * layer.dilation[axis] + 1
        places = (n + before + after - reach) // s + 1
        if layer.padding_mode == "zeros":
            whole = -(-(n + max(before, after)) // s)  # zeros before may be those after: the torus is round
        elif layer.padding_mode == "circular":
            if n % s or before + after >= n + reach:
                stride[axis] = s = 1  # some of the outputs of stride 1, each as often as it is met
                factor *= math.sqrt(-(-((places - 1) * layer.stride[axis] + 1) // n)) * OUTWARD
            else:
                factor *= math.sqrt(-(-places * s // n)) * OUTWARD if places * s > n else 1.0
            whole = n // s
        else:
            whole = -(-(n + before + after) // s)
            met = np.pad(np.arange(n), (before, after), mode="reflect" if layer.padding_mode == "reflect" else "edge")
            factor *= math.sqrt(int(np.bincount(met).max())) * OUTWARD
        torus.append(whole)
    free = layer.padding_mode != "circular"
    return _Taps(*_space_to_depth(layer, weight, stride), tuple(torus), (0,) * len(torus), free), factor


def _paddings(layer: Convolution) -> tuple[list[int], list[int]]:
    """Return how much is added before and after along each axis."""
    reversed_pairs = layer._reversed_padding_repeated_twice
    pairs = [(reversed_pairs[i], reversed_pairs[i + 1]) for i in range(0, len(reversed_pairs), 2)][::-1]
    return [before for before, _ in pairs], [after for _, after in pairs]


def _space_to_depth(layer: Convolution, weight: torch.Tensor, stride: list[int]) -> tuple[Array, Array]:
    """Return weights [groups, outputs, inputs, taps] and places [taps, axes] of the same map with stride 1."""
    outputs, inputs = weight.shape[0] // layer.groups, weight.shape[1]
    given: Array = weight.reshape(layer.groups, outputs, inputs, *layer.kernel_size).numpy()
    phases = list(product(*(range(s) for s in stride)))
    found: dict[tuple[int, ...], Array] = {}
    for index in product(*(range(k) for k in layer.kernel_size)):
        at = [i * step for i, step in zip(index, layer.dilation, strict=True)]
        place = tuple(a // s for a, s in zip(at, stride, strict=True))
        phase = phases.index(tuple(a % s for a, s in zip(at, stride, strict=True)))
        tap = found.setdefault(place, np.zeros((layer.groups, outputs, len(phases), inputs)))
        tap[:, :, phase] = np.moveaxis(given, (0, 1, 2), (-3, -2, -1))[index]
    taps = np.stack([tap.reshape(layer.groups, outputs, -1) for tap in found.values()], axis=-1)
    return taps, np.array(list(found))


def _frequencies(taps: _Taps) -> Array:
    """Return one of each pair of opposite frequencies of a torus, [f, axes]: at the other the matrix is the conjugate.

    In units of half a step, a step being one turn round the torus; so are all below.
    """
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in taps.size), indexing="ij"), axis=-1).reshape(-1, len(taps.size))
    opposite = (-grid - np.array(taps.twist)) % np.array(taps.size)
    weights = np.cumprod([1, *taps.size[:0:-1]])[::-1]
    half: Array = 2 * grid[grid @ weights <= opposite @ weights] + np.array(taps.twist)
    return half


def _waves(taps: _Taps, frequencies: Array) -> Array:
    """Return exp(2 pi i <frequency, place>) for each tap, [f, taps], a few eps off at most; whole turns are left out."""
    turns = np.zeros((len(frequencies), len(taps.places)))
    for axis, n in enumerate(taps.size):
        turns += (np.outer(frequencies[:, axis], taps.places[:, axis]) % (2 * n)) / (2 * n)
    waves: Array = np.exp(2j * np.pi * (turns % 1.0))
    return waves


def _peak(taps: _Taps) -> _Peak:
    """Return a frequency where the norm is about largest: from a coarse grid, by a search that halves its steps."""
    groups, outputs, inputs, _ = taps.weights.shape
    sizes = tuple(3 * int(places.max()) + 3 for places in taps.places.T)
    coarse = replace(taps, size=sizes, twist=(0,) * len(sizes))
    grid = _frequencies(coarse) / (2 * np.array(sizes))
    starts: list[tuple[float, int, int]] = []
    for group in range(groups):
        weights = torch.from_numpy(taps.weights[group].reshape(outputs * inputs, -1).T).to(torch.complex64)
        blocks = torch.from_numpy(np.exp(2j * np.pi * (grid @ taps.places.T))).to(torch.complex64) @ weights
        blocks = blocks.reshape(-1, outputs, inputs)
        below = upper_bounds(blocks if outputs <= inputs else blocks.transpose(1, 2), 0.0, 4)[1]
        starts += [(float(below[place]), group, int(place)) for place in np.argsort(below)[-STARTS:]]
    found = []
    for _, group, place in sorted(starts)[-STARTS:]:
        frequency, step = grid[place], 1 / (2 * np.array(sizes))
        vector, norm = _lengthened(taps, group, frequency, np.ones(inputs, dtype=complex), 10)
        for _ in range(REFINEMENTS):
            moves = [frequency + sign * step * unit for unit in np.eye(len(step)) for sign in (1, -1)]
            tried = [_lengthened(taps, group, move, vector, 2) for move in moves]
            best = max(range(len(moves)), key=lambda index: tried[index][1])
            if tried[best][1] > norm:
                frequency, (vector, norm) = moves[best], tried[best]
            else:
                step = step / 2
        found.append((norm, _Peak(group, frequency % 1.0, vector)))
    return max(found, key=lambda one: one[0])[1]


def _lengthened(taps: _Taps, group: int, frequency: Array, vector: Array, steps: int) -> tuple[Array, float]:
    """Return a unit vector after steps of the power iteration at a frequency, and the length of its image."""
    block = taps.weights[group] @ np.exp(2j * np.pi * (taps.places @ frequency))
    norm = 0.0
    for _ in range(steps):
        vector = vector / (float(np.linalg.norm(vector)) or 1.0)
        image = block @ vector
        norm, vector = float(np.linalg.norm(image)), block.conj().T @ image
    return vector, norm


def _placed(taps: _Taps, peaks: list[_Peak]) -> _Taps:
    """Return the convolution on a torus, a little larger or twisted, whose frequencies lie far from all peaks."""
    if not taps.free:
        return taps

    def distance(option: tuple[tuple[int, int], ...]) -> float:
        found: list[float] = []
        for peak in peaks:
            shares = [(turn * n - t / 2) % 1.0 for turn, (n, t) in zip(peak.frequency, option, strict=True)]
            away = (min(share, 1 - share) / n for share, (n, _) in zip(shares, option, strict=True))
            found.append(float(sum(one**2 for one in away)))
        return min(found)

    options = [[(size, twist) for size in range(n, n + LARGER + 1) for twist in (0, 1)] for n in taps.size]
    sizes, twists = zip(*max(product(*options), key=distance), strict=True)
    return replace(taps, size=sizes, twist=twists)


def _largest(taps: _Taps, floor: float) -> tuple[float, _Peak]:
    """Return an upper bound of the norm on the torus, or `floor` if that is more, and where the norm is."""
    groups, outputs, inputs, count = taps.weights.shape
    largest = float(np.abs(taps.weights).max(initial=0.0))
    frequencies = _frequencies(taps)
    if largest == 0:
        return floor, _Peak(0, frequencies[0] / (2 * np.array(taps.size)), np.ones(inputs))
    scale = 2.0 ** math.frexp(largest)[1]
    weights, floor = taps.weights / scale, floor / scale
    flat = np.moveaxis(weights, 3, 1).reshape(groups, count, outputs * inputs)
    single = torch.from_numpy(flat).to(torch.float32)
    lengths = np.sqrt((weights**2).sum(axis=(1, 2))).sum(axis=1)  # [groups]
    # The error in the Frobenius norm: weights, waves and every product rounded once, sums of so many terms.
    off = {bits: (count + 16) * 2.0**-bits * lengths * OUTWARD for bits in (24, 53)}
    together = max(1, BLOCK_BYTES // (16 * outputs * inputs))
    upper = []
    for group in range(groups):
        for start in range(0, len(frequencies), together):
            waves = torch.from_numpy(_waves(taps, frequencies[start : start + together])).to(torch.complex64)
            blocks = torch.complex(waves.real @ single[group], waves.imag @ single[group])
            blocks = blocks.reshape(-1, outputs, inputs)
            above, below = upper_bounds(blocks if outputs <= inputs else blocks.transpose(1, 2), floor, PRODUCTS)
            upper.append(above + off[24][group])
            floor = max(floor, float(below.max()) - float(off[24][group]))
    bounds, best = np.concatenate(upper), 0.0
    where = int(np.argmax(bounds))
    for place in np.argsort(bounds)[::-1][:FINISHED]:
        if bounds[place] <= max(best, floor):
            break
        group, index = divmod(int(place), len(frequencies))
        block = weights[group] @ _waves(taps, frequencies[index][None])[0]
        found = norm_of(block, float(off[53][group]))
        bounds[place] = min(bounds[place], float(found.upper))
        if found.lower > best:
            best, where = float(found.lower), int(place)
    group, index = divmod(where, len(frequencies))
    frequency = frequencies[index] / (2 * np.array(taps.size))
    vector, _ = _lengthened(taps, group, frequency, np.ones(inputs, dtype=complex), 100)
    return max(float(bounds.max()), floor) * scale * OUTWARD, _Peak(group, frequency, vector)


def _wave(layer: Convolution, taps: _Taps, shape: tuple[int, ...], peak: _Peak) -> Array:
    """Return an input [c, ...] that is the wave at a frequency, faded towards the ends where these are not joined."""
    befores, _ = _paddings(layer)
    sizes, inside = shape[1:], shape[0] // layer.groups
    stride = [s if len(peak.vector) > inside else 1 for s in layer.stride]
    phase = np.zeros(sizes)
    fade = np.ones(sizes)
    channel = np.zeros(sizes, dtype=int)
    for axis, (n, s) in enumerate(zip(sizes, stride, strict=True)):
        along = [1] * len(sizes)
        along[axis] = n
        at = np.arange(n) + befores[axis]
        phase = phase + (peak.frequency[axis] * (at // s)).reshape(along)
        channel = channel * s + (at % s).reshape(along)
        if layer.padding_mode != "circular":
            fade = fade * np.sin(np.pi * (np.arange(n) + 1) / (n + 1)).reshape(along)
    by_phase = peak.vector.reshape(-1, inside)[channel]  # [..., inside]
    wave = np.moveaxis(by_phase * (np.exp(2j * np.pi * phase) * fade)[..., None], -1, 0)
    start = np.zeros(shape)
    part = slice(peak.group * inside, (peak.group + 1) * inside)
    start[part] = wave.real
    if np.linalg.norm(wave.imag) > np.linalg.norm(wave.real):
        start[part] = wave.imag
    return start


def _rayleigh(linear: Convolution, start: Array, steps: int) -> float:
    """Return the length of the image of a unit vector, rounded down, after some steps of the power iteration.

    The steps are taken in float32, the image in float64 by torch on the CPU, which multiplies and adds in some order:
    an output that is a sum of K products is off by at most K u/(1 - K u) times the sum of their sizes.
    """
    if not np.linalg.norm(start):
        return 0.0
    vector = torch.from_numpy(start)[None]
    vector = (vector / torch.linalg.vector_norm(vector)).to(torch.float32)
    single = with_weight(linear, linear.weight.detach())
    single.weight = nn.Parameter(linear.weight.detach().to(torch.float32), requires_grad=False)
    with torch.inference_mode(False), torch.enable_grad():
        for _ in range(steps):
            leaf = vector.requires_grad_()
            image = single(leaf)
            [vector] = torch.autograd.grad(image, leaf, image.detach())
            size = torch.linalg.vector_norm(vector)
            if not float(size):
                return 0.0
            vector = (vector / size).detach()
    unit = vector.detach().to(torch.float64)
    with torch.no_grad():
        image = linear(unit)
        sizes = with_weight(linear, linear.weight.abs())(unit.abs())
    terms = linear.weight[0].numel() + 8
    off = terms * EPS / 2 / (1 - terms * EPS / 2) * float(torch.linalg.vector_norm(sizes)) * OUTWARD
    length = (float(torch.linalg.vector_norm(image)) - off) / float(torch.linalg.vector_norm(unit))
    # Norms are sums of so many squares.
    roundings = (image.numel() + unit.numel() + 16) * EPS
    return max(0.0, math.nextafter(length * (1 - roundings), -math.inf))

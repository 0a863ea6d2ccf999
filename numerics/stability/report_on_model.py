"""Is the minimum that this model is at stable under gradient descent, under SGD? Everything that decides it, in one object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.stability.hessian import sharpness_with_error
from numerics.stability.mean_square import mean_square_threshold
from numerics.stability.module_loss import CHUNK, ModuleLoss, module_loss
from theory.beyond import critical_step_size
from theory.checks import Array, nonnegative, positive
from theory.checks import batch_size as checked_batch
from theory.claim import Ruling, Verdict
from theory.enclosure import EPS
from theory.linear_stability import noise_share
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.registry import CLAIMS
from theory.symbols import ModelLoss, half_mean_step_size
from theory.two_layer import Weights

Answer = Literal["stable", "unstable", "undecided"]
"""Whether the iteration, linearised, stays near the weights."""

Position = Literal["an interpolating minimum", "a critical point that does not interpolate", "no critical point"]
"""Where the weights are in the landscape of the loss."""

LOSSES: dict[ModelLoss, str] = {
    "half_mean": "(1/2n) sum_j |f(x_j) - y_j|^2",
    "mean": "(1/n) sum_j |f(x_j) - y_j|^2",
    "cross_entropy": "(1/n) sum_j -log softmax(f(x_j))[y_j]",
}

DENSE_PARAMETERS = 512
"""Hessians in up to so many parameters are written out."""

KRYLOV = 12
"""Lanczos restarts after so many products, and keeps so many vectors."""

THRESHOLD_POINTS = 1000
"""SGD's exact threshold is computed for up to so many examples."""

BLOCK_ENTRIES = 2**31
"""The Gram matrices of single examples are computed if their features are so many numbers, some gigabytes in passing."""

M1_POINTS = 12
"""M1 is evaluated on the Hessians of up to so many examples: it builds a map on matrices of their span."""

CLAIM_PARAMETERS, CLAIM_POINTS = 1000, 1000
"""B7 and M6 are evaluated for networks of up to so many parameters, on up to so many points."""


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue within `error` of `value`.

    The error is the norm of the residual A u - value u, plus what rounding is seen to do: the difference of two ways to
    compute u^T A u, of which one goes forwards through the model. The sharpness of a `TwoLayerReLU` has a bound instead.
    That it is the top (or the lowest) one rests, for Lanczos, on a start that is not orthogonal to its eigenvector.
    """

    value: float
    error: float

    @property
    def lower(self) -> float:
        """The lower end of where it lies."""
        return self.value - self.error

    @property
    def upper(self) -> float:
        """The upper end of where it lies."""
        return self.value + self.error


@dataclass(frozen=True)
class StepSizes:
    """SGD is stable in mean square up to `lower` and not beyond `upper`.

    Attributes:
        lower: for at most this step size.
        upper: for no step size above this.
        exact: whether the threshold is known but for rounding; else the two come from a sufficient and a necessary condition.
    """

    lower: float
    upper: float
    exact: bool


@dataclass(frozen=True, eq=False)
class Report:
    """What decides whether training stays at these weights; `str` of it is a table.

    Step sizes, gradients and eigenvalues are those of the loss that was asked for. With vector outputs |.|^2 sums over the
    c outputs: `torch.nn.MSELoss`, which averages over them too, has gradients and Hessians c times smaller than "mean".

    Attributes:
        model: the class of the model.
        parameters: the number of parameters that require a gradient, shared ones counted once; the others are held fixed.
        points: n.
        outputs: c, the number of outputs.
        loss: which loss it is.
        step_size: eta.
        batch_size: B, drawn without replacement.
        training_loss: what it is at the weights.
        interpolates: whether the squared loss is at most `interpolation_tolerance` times that of f = 0. Cross-entropy has
            no minimum of loss 0: False.
        interpolation_tolerance: see there.
        gradient_norm: of the loss.
        gradient_tolerance: the weights count as a critical point if the norm is at most so many times sharpness ||theta||,
            the gradient that a relative move of the weights by as much can make.
        position: where the weights are.
        sharpness: the top eigenvalue of the Gauss-Newton matrix (for cross-entropy, generalised).
        hessian_top: the top eigenvalue of the Hessian.
        hessian_bottom: its lowest; only for critical points that do not interpolate, else None.
        gd_step_size: 2 over the top eigenvalue that decides; inf if that is not positive.
        sgd_step_sizes: for the linearisation with the Gauss-Newton matrix of each example as its Hessian, which is SGD's
            own at interpolation, and only there.
        gd: the answer for gradient descent (M1.a).
        sgd: the answer for SGD; unstable means that E ||theta - theta*||^2 grows without bound, or (M1) its mean does.
        toggling: how many pre-activations are at a kink of the model to rounding. Then the eigenvalues are those on one
            side, and nothing is decided.
        flattest: the least sharpness of a network that computes the same function (M5); for `TwoLayerReLU` of one input.
        critical_step_size: the step size beyond which no smooth minimum interpolates these data (B1.a); likewise.
        verdicts: of the claims that speak of this model, on the data (x, f(x)) that it interpolates, B7 and B7.a on (x, y);
            likewise. The table leaves out those that do not apply; `failed` of such a verdict says why.
        notes: what the numbers do not say by themselves.
    """

    model: str
    parameters: int
    points: int
    outputs: int
    loss: ModelLoss
    step_size: float
    batch_size: int
    training_loss: float
    interpolates: bool
    interpolation_tolerance: float
    gradient_norm: float
    gradient_tolerance: float
    position: Position
    sharpness: Eigenvalue
    hessian_top: Eigenvalue
    hessian_bottom: Eigenvalue | None
    gd_step_size: float
    sgd_step_sizes: StepSizes
    gd: Answer
    sgd: Answer
    toggling: int
    flattest: float | None
    critical_step_size: float | None
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]

    @property
    def stable(self) -> Answer:
        """The answer for training with this batch size."""
        return self.gd if self.batch_size == self.points else self.sgd

    def table(self) -> str:
        """Return the report as lines of text."""
        plural = "output" if self.outputs == 1 else "outputs"
        lines = [
            f"{self.model}: {self.parameters} parameters, {self.points} points, {self.outputs} {plural}; "
            f"loss {LOSSES[self.loss]}"
        ]
        sgd = self.sgd_step_sizes
        here = "" if self.position != "no critical point" else ", were these weights a minimum"
        linear = "" if self.interpolates else "; of the linearisation alone, which decides nothing here"
        applies = [f"{v.claim} {v.ruling}" for v in self.verdicts if v.ruling is not Ruling.INAPPLICABLE]
        rows = [
            (
                "loss",
                f"{_number(self.training_loss)}; {'interpolates' if self.interpolates else 'does not interpolate'}",
            ),
            ("gradient norm", f"{_number(self.gradient_norm)}; {self.position}"),
            ("sharpness", f"{_eigenvalue(self.sharpness)}; top eigenvalue of the Gauss-Newton matrix"),
            ("Hessian, top", _eigenvalue(self.hessian_top)),
            ("Hessian, lowest", _eigenvalue(self.hessian_bottom) if self.hessian_bottom else None),
            ("GD", f"step sizes up to {_number(self.gd_step_size)}{here}"),
            (
                f"SGD, batches of {self.batch_size}",
                (
                    f"step sizes up to {_number(sgd.upper)}"
                    if sgd.exact
                    else f"step sizes up to {_number(sgd.lower)}, none beyond {_number(sgd.upper)}"
                )
                + linear,
            ),
            (f"step size {self.step_size:g}", f"GD {self.gd}, SGD {self.sgd}"),
            ("flattest (M5)", None if self.flattest is None else f"sharpness {_number(self.flattest)} or more"),
            (
                "data (B1.a)",
                None if self.critical_step_size is None else f"step sizes up to {_number(self.critical_step_size)}",
            ),
            ("claims on (x, f(x))", ", ".join(applies) or None),
        ]
        lines += [f"{name:<20} {text}" for name, text in rows if text is not None]
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

    def __str__(self) -> str:
        """Return the table."""
        return self.table()


def _number(value: float) -> str:
    """Return a number in six digits; what may be a rounding error has none of its own."""
    return "below 1e-12" if 0 <= value < 1e-12 else f"{value:.6g}"


def _eigenvalue(found: Eigenvalue) -> str:
    """Return an eigenvalue in six digits, with its error rounded up to a power of ten and to 1e-12 of the eigenvalue."""
    error = max(found.error, 1e-12 * abs(found.value))
    return f"{found.value:.6g}" + (f" (error below {10.0 ** math.ceil(math.log10(error)):.0e})" if error > 0 else "")


def report(
    model: nn.Module | Weights,
    x: object,
    y: object,
    step_size: float,
    batch_size: int,
    loss: ModelLoss = "half_mean",
    *,
    interpolation_tolerance: float = 1e-10,
    gradient_tolerance: float = 1e-6,
    tolerance: float = 1e-8,
) -> Report:
    """Return whether gradient descent and SGD with this step size are stable at the weights of a model, and why.

    At an interpolating minimum the Hessian is the Gauss-Newton matrix H, the mean of the H_i of the examples. GD is
    linearly stable iff eta lambda_max(H) <= 2 (mulayoff2021, Lemma 1; M1.a). SGD, w <- (I - eta H_batch) w, has bounded
    second moments iff eta is at most a threshold (mulayoff2024; B3), which is computed for one output. In general, with
    p = (n - B)/(B (n - 1)) and Phi the features,

        2 / lambda_max((1 - p) Phi Phi^T/n + p diag_i(Phi_i Phi_i^T)) <= threshold
            <= 2 v^T H v / ((1 - p) (v^T H v)^2 + p mean_i (v^T H_i v)^2)   for every unit vector v.

    Left: E[H_batch^2] = (1 - p) H^2 + p mean H_i^2 = Phi^T M Phi/n <= lambda_max(M) H, M the matrix there, so that
    E[(I - eta H_batch)^2] <= I (W1). Right: with X = v v^T in the quotient of quadratic forms that the threshold is.

    Away from interpolation, see `Report.notes`: at a critical point the Hessian decides for GD, and beyond 2/lambda_max
    SGD of any batch size is unstable (M1); below, nothing is said of SGD.

    All of it is computed in float64 on a copy in eval mode (dropout off, batch norm with its stored statistics); the model
    is left as it is. Memory is that of two backward passes over 2048 examples, and of 12 vectors of parameters.

    Args:
        model: scalar or vector outputs on x, [n] or [n, ...]; or the weights of a two-layer ReLU network on the line.
        x: the inputs, [n, ...], as the model takes them; [n] are passed on as [n, 1]. Tensors of integers are passed on as
            they are, all other numbers in float64.
        y: the targets, of the shape of the outputs, or [n] for one output; for "cross_entropy" labels [n] from 0 to c - 1.
        step_size: eta > 0, of gradient descent on `loss`.
        batch_size: B, from 1 to n, without replacement; with n it is gradient descent.
        loss: "half_mean" (1/2n) sum_j ||f(x_j) - y_j||^2, "mean" twice that, or "cross_entropy"
            (1/n) sum_j -log softmax(f(x_j))[y_j].
        interpolation_tolerance: the squared loss, relative to that of f = 0, up to which weights count as interpolating.
        gradient_tolerance: the gradient norm, relative to sharpness times ||theta||, up to which weights count as critical.
        tolerance: the residual, relative to the eigenvalue, at which Lanczos stops.

    Raises:
        TypeError: if `model` is no module or does not return real numbers, an entry of x or y is no real number (or, for
            cross-entropy, no integer), or another argument is of a wrong type.
        ValueError: if an argument is out of range; if x or y is malformed; or if `model` has a weight that is not finite
            or none that requires a gradient, cannot be copied or differentiated twice, fails on x, or returns nan, another
            shape than y, or an output that depends on other rows of x.
        RuntimeError: if an iteration does not reach `tolerance`.

    Example:
        >>> import numpy as np
        >>> from numerics import report
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> found = report(weights, x, weights(x), step_size=1.0, batch_size=1)
        >>> found.gd, found.sgd, round(found.gd_step_size, 4), found.interpolates
        ('stable', 'unstable', 1.3656, True)
    """
    eta = float(positive("step_size", step_size))
    nonnegative("interpolation_tolerance", interpolation_tolerance)
    nonnegative("gradient_tolerance", gradient_tolerance)
    positive("tolerance", tolerance)
    module = TwoLayerReLU.from_weights(model) if isinstance(model, Weights) else model
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        problem = module_loss(module, x, y, loss)
        n, c = problem.outputs.shape
        batch = checked_batch(batch_size, n)
        gradient_norm = float(np.linalg.norm(problem.gradient()))
        kernel = problem.gram()
        root = None if kernel is None else _root(kernel)
        features = _top_of_features(problem, root, tolerance)
        sharpness = _two_layer_sharpness(problem, tolerance) or features.eigenvalue
        interpolates = _interpolates(problem, interpolation_tolerance)
        size = math.sqrt(sum(float(torch.sum(p.detach() ** 2)) for p in problem.parameters))
        critical = interpolates or gradient_norm <= gradient_tolerance * sharpness.value * size
        top, bottom = _ends_of_hessian(problem, features.direction, tolerance, bottom=critical and not interpolates)
        step_sizes = _sgd_step_sizes(problem, kernel, root, features, batch, tolerance)
        toggling = problem.toggling()
    position: Position = (
        "an interpolating minimum"
        if interpolates
        else "a critical point that does not interpolate"
        if critical
        else "no critical point"
    )
    decides = sharpness if interpolates else top
    gd, sgd = _answers(position, eta, decides, bottom, step_sizes, smooth=toggling == 0)
    on_line = _on_line(problem)
    flattest, critical_step, verdicts, remarks = (
        _claims(problem, *on_line, eta, batch, root if interpolates else None) if on_line else (None, None, (), ())
    )
    return Report(
        model=type(module).__name__,
        parameters=problem.dimension,
        points=n,
        outputs=c,
        loss=loss,
        step_size=eta,
        batch_size=batch,
        training_loss=problem.value,
        interpolates=interpolates,
        interpolation_tolerance=interpolation_tolerance,
        gradient_norm=gradient_norm,
        gradient_tolerance=gradient_tolerance,
        position=position,
        sharpness=sharpness,
        hessian_top=top,
        hessian_bottom=bottom,
        gd_step_size=2 / decides.value if decides.value > 0 else math.inf,
        sgd_step_sizes=step_sizes,
        gd=gd,
        sgd=gd if batch == n else sgd,
        toggling=toggling,
        flattest=flattest,
        critical_step_size=critical_step,
        verdicts=verdicts,
        notes=(*_notes(module, problem, position, toggling, bottom, step_sizes), *remarks),
    )


@dataclass(frozen=True, eq=False)
class _Top:
    """The top eigenvalue of Phi^T Phi / n and its unit eigenvector, [p]."""

    eigenvalue: Eigenvalue
    direction: Array


def _top_of_features(problem: ModuleLoss, root: Array | None, tolerance: float) -> _Top:
    """Return the top eigenvalue of the Gauss-Newton matrix, from the `_root` of the Gram matrix if that is given."""
    n, rows, p = len(problem.x), problem.outputs.numel(), problem.dimension
    if root is not None:
        direction = problem.transposed_product(root[:, -1])
    elif p < rows:
        direction = _lanczos(p, lambda v: problem.transposed_product(problem.product(v)) / n, tolerance)
    else:
        u = _lanczos(rows, lambda u: problem.product(problem.transposed_product(u)) / n, tolerance)
        direction = problem.transposed_product(u)
    length = float(np.linalg.norm(direction))
    if length == 0:
        return _Top(Eigenvalue(0.0, 0.0), direction)
    direction = direction / length
    image = problem.product(direction)
    back = problem.transposed_product(image) / n
    value, twice = float(image @ image) / n, float(direction @ back)
    error = float(np.linalg.norm(back - value * direction)) + abs(value - twice) + 8 * EPS * value
    return _Top(Eigenvalue(value, error), direction)


def _two_layer_sharpness(problem: ModuleLoss, tolerance: float) -> Eigenvalue | None:
    """Return the sharpness of a two-layer ReLU network whose weights are all trained, with a bound on rounding."""
    net, loss = problem.model, problem.loss
    if type(net) is not TwoLayerReLU or loss == "cross_entropy" or len(problem.parameters) < 4:
        return None
    found = sharpness_with_error(net, problem.x, loss=loss, tolerance=tolerance)
    return Eigenvalue(found.value, found.error)


def _interpolates(problem: ModuleLoss, tolerance: float) -> bool:
    if problem.loss == "cross_entropy":
        return False
    residuals = float(torch.sum((problem.outputs - problem.y) ** 2))
    return residuals <= tolerance * float(torch.sum(problem.y**2))


def _ends_of_hessian(
    problem: ModuleLoss, start: Array, tolerance: float, *, bottom: bool
) -> tuple[Eigenvalue, Eigenvalue | None]:
    """Return the top eigenvalue of the Hessian and, if asked for, the lowest; `start` [p] is near the top eigenvector."""
    p, product = problem.dimension, problem.hessian_product
    if p <= DENSE_PARAMETERS and p * len(problem.x) <= DENSE_PARAMETERS * CHUNK:
        matrix = np.column_stack([product(unit) for unit in np.eye(p)])
        rounding = float(np.linalg.norm(matrix - matrix.T)) + p * EPS * float(np.linalg.norm(matrix))
        values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
        ends = [Eigenvalue(float(value), rounding) for value in (values[-1], values[0])]
        return ends[0], ends[1] if bottom else None
    spread = np.random.default_rng(1).standard_normal(p)
    top = _eigenvalue_at(product, _lanczos(p, product, tolerance, start + 0.1 * spread / np.linalg.norm(spread)))
    if not bottom:
        return top, None
    # Seen from the top, so that the residual is relative to the size of the Hessian: most other eigenvalues are near 0.
    shift = abs(top.value)
    lowest = _lanczos(p, lambda v: shift * v - product(v), max(tolerance, 1e-4))
    return top, _eigenvalue_at(product, lowest)


def _eigenvalue_at(product: Any, direction: Array) -> Eigenvalue:
    """Return the Rayleigh quotient of a unit vector with its residual."""
    image = product(direction)
    value = float(direction @ image)
    return Eigenvalue(value, float(np.linalg.norm(image - value * direction)) + 8 * EPS * abs(value))


def _lanczos(size: int, product: Any, tolerance: float, start: Array | None = None) -> Array:
    """Return a unit eigenvector of the top eigenvalue of a symmetric operator on vectors of `size`.

    Raises:
        RuntimeError: if it is not found to `tolerance`.
    """
    if size == 1:
        return np.ones(1)
    first = np.random.default_rng(0).standard_normal(size) if start is None else start
    if not np.any(product(first)):  # zero on what is drawn at random: zero
        return first / np.linalg.norm(first)
    operator = LinearOperator((size, size), dtype=np.float64, matvec=lambda v: product(v.ravel()))
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=first, tol=tolerance, ncv=min(size, KRYLOV))
    except ArpackNoConvergence as error:
        raise RuntimeError(f"Lanczos iteration did not reach tolerance {tolerance}, try a larger one") from error
    vector: Array = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    return vector


def _sgd_step_sizes(
    problem: ModuleLoss, kernel: Array | None, root: Array | None, top: _Top, batch: int, tolerance: float
) -> StepSizes:
    """Return for which step sizes SGD on the Gauss-Newton matrices is stable in mean square, as far as is known."""
    n, c = problem.outputs.shape
    share = float(noise_share(n, batch))
    if top.eigenvalue.value == 0:
        return StepSizes(math.inf, math.inf, exact=True)
    if share == 0:
        lower, upper = 2 / top.eigenvalue.upper, 2 / top.eigenvalue.lower if top.eigenvalue.lower > 0 else math.inf
        return StepSizes(lower, upper, exact=True)
    if c == 1 and root is not None and n <= THRESHOLD_POINTS:
        threshold = mean_square_threshold(root, batch)
        return StepSizes(threshold.lower, threshold.upper, exact=True)
    directions = [top.direction]
    blocks = None
    if kernel is not None:
        blocks = np.array([kernel[j : j + c, j : j + c] for j in range(0, n * c, c)])
    elif n * c * problem.dimension <= BLOCK_ENTRIES:
        blocks = problem.blocks()
    if blocks is None:
        most = n / batch * top.eigenvalue.upper  # H_batch <= (n/B) H, so E[H_batch^2] <= (n/B) lambda_max(H) H
    else:
        most, u = _sufficient(problem, kernel, blocks, share, tolerance)
        values, vectors = np.linalg.eigh(blocks)
        sharpest = int(np.argmax(values[:, -1]))
        single = np.zeros(n * c)
        single[sharpest * c : (sharpest + 1) * c] = vectors[sharpest, :, -1]
        directions += [problem.transposed_product(v) for v in (u, single)]
    least = max(_along(problem, direction, share) for direction in directions)
    margin = 16 * EPS * n * c
    return StepSizes(2 / most * (1 - margin), 2 / least * (1 + margin), exact=False)


def _root(kernel: Array) -> Array:
    """Return orthogonal columns, the longest last, that as features [n c, n c] have this Gram matrix."""
    values, vectors = eigh(kernel)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _sufficient(
    problem: ModuleLoss, kernel: Array | None, blocks: Array, share: float, tolerance: float
) -> tuple[float, Array]:
    """Return a number at or above lambda_max((1 - p) Phi Phi^T/n + p diag_i(Phi_i Phi_i^T)), and its eigenvector [n c]."""
    n, c = len(problem.x), problem.outputs.shape[1]

    def product(u: Array) -> Array:
        inner = kernel @ u if kernel is not None else problem.product(problem.transposed_product(u))
        own = np.einsum("jab,jb->ja", blocks, u.reshape(n, c)).reshape(-1)
        whole: Array = (1 - share) / n * inner + share * own
        return whole

    u = _lanczos(n * c, product, tolerance)
    found = _eigenvalue_at(product, u)
    return found.upper, u


def _along(problem: ModuleLoss, direction: Array, share: float) -> float:
    """Return ((1 - p) (v^T H v)^2 + p mean_i (v^T H_i v)^2) / v^T H v for the unit vector v along a direction [p]."""
    image = problem.product(direction / np.linalg.norm(direction)).reshape(len(problem.x), -1)
    each = np.sum(image**2, axis=1)
    mean = float(np.mean(each))
    return (1 - share) * mean + share * float(np.mean(each**2)) / mean if mean > 0 else 0.0


def _answers(
    position: Position,
    eta: float,
    top: Eigenvalue,
    bottom: Eigenvalue | None,
    step_sizes: StepSizes,
    *,
    smooth: bool,
) -> tuple[Answer, Answer]:
    """Return the answers for GD and for SGD with batches smaller than the data."""
    if not smooth or position == "no critical point":
        return "undecided", "undecided"
    if eta * top.lower > 2 or (bottom is not None and bottom.upper < 0):
        return "unstable", "unstable"
    gd: Answer = "stable" if eta * top.upper <= 2 else "undecided"
    if position != "an interpolating minimum":
        return gd, "undecided"
    if eta > step_sizes.upper:
        return gd, "unstable"
    return gd, "stable" if eta <= step_sizes.lower else "undecided"


def _on_line(problem: ModuleLoss) -> tuple[TwoLayerReLU, Array, Array] | None:
    """Return a two-layer ReLU network of one input whose weights are all trained, with x [n] and y [n]."""
    net = problem.model
    if type(net) is not TwoLayerReLU or net.hidden.in_features != 1 or len(problem.parameters) < 4:
        return None
    return net, problem.x.reshape(-1).cpu().numpy(), problem.y.reshape(-1).cpu().numpy()


def _claims(
    problem: ModuleLoss, net: TwoLayerReLU, x: Array, y: Array, eta: float, batch: int, root: Array | None
) -> tuple[float | None, float | None, tuple[Verdict, ...], tuple[str, ...]]:
    """Return M5's bound, B1.a's step size, the verdicts of the claims, and what to say of those that are left out.

    `root` is given at interpolation only: M1 is about the Hessians there.
    """
    n = len(x)
    if problem.loss == "cross_entropy":  # one output has no classes
        return None, None, (), ()
    if len(np.unique(x)) < n:
        return None, None, (), ("Two inputs are equal: M5, M6, B1 and B7 are about distinct ones.",)
    weights, half_mean = net.weights(), half_mean_step_size(eta, problem.loss)
    critical_step = critical_step_size(x, y, loss=problem.loss) if n >= 2 else None
    flattest = sharpness_lower_bound(net.piecewise_linear(), x) * (2 if problem.loss == "mean" else 1)
    if problem.dimension > CLAIM_PARAMETERS or n > CLAIM_POINTS:
        size = f"{CLAIM_PARAMETERS} parameters and {CLAIM_POINTS} points"
        return flattest, critical_step, (), (f"M6 and B7 are evaluated for up to {size} only.",)
    verdicts = []
    if root is not None and n <= M1_POINTS:
        # In coordinates of the span of the features: nothing moves across it.
        kept = root[:, np.sum(root**2, axis=0) > n * EPS * np.sum(root**2)] / math.sqrt(half_mean / eta)
        hessians = kept[:, :, None] * kept[:, None, :]
        verdicts.append(CLAIMS["M1"].evaluate({"hessians": hessians, "step_size": half_mean, "batch_size": batch}))
    given = {"weights": weights, "x": x, "y": y, "step_size": half_mean}
    verdicts += [CLAIMS[name].evaluate(given) for name in ("M5", "M6", "M6.a", "B7", "B7.a")]
    return flattest, critical_step, tuple(verdicts), ()


def _notes(
    model: nn.Module,
    problem: ModuleLoss,
    position: Position,
    toggling: int,
    bottom: Eigenvalue | None,
    step_sizes: StepSizes,
) -> list[str]:
    """Return what the numbers do not say by themselves."""
    notes = []
    if toggling:
        notes.append(
            f"{toggling} pre-activations are 0 to rounding: the loss may not be twice differentiable here, the "
            "eigenvalues are those on one side of the kinks, and nothing is decided."
        )
    if position == "no critical point":
        notes.append(
            "The gradient does not vanish: this is no minimum. The eigenvalues are those of the loss on the way, and "
            "nothing is decided."
        )
    if bottom is not None and bottom.upper < 0:
        notes.append("The Hessian has a negative eigenvalue: this is a saddle, which gradient descent leaves.")
    if position == "a critical point that does not interpolate":
        notes.append(
            "The weights do not interpolate. The Hessian has a term in the residuals besides the Gauss-Newton matrix; it "
            "decides for GD. Gradients of single examples do not vanish here, so SGD does not come to rest: at best it "
            "stays around the minimum. The step sizes for SGD are those without that term and without that noise; they "
            "do not decide, but beyond 2 over the Hessian's top eigenvalue SGD is unstable for every batch size (M1)."
        )
    if problem.loss == "cross_entropy":
        notes.append(
            "Cross-entropy is above 0 at all finite weights: separable data are interpolated only at infinity, where the "
            "curvature vanishes. The sharpness is that of the generalised Gauss-Newton matrix, with diag(q) - q q^T for "
            "the softmax q."
        )
    if not step_sizes.exact:
        notes.append(
            "SGD's threshold lies between two step sizes, of a sufficient condition (W1) and of a necessary one; exactly it is "
            f"computed for one output, up to {THRESHOLD_POINTS} points."
        )
    layers = list(model.modules())
    if any(isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0 for layer in layers):
        notes.append("Dropout is switched off, as in eval mode.")
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in layers):
        notes.append(
            "Batch norm uses its stored statistics, as in eval mode; in training, an output depends on its batch."
        )
    fixed = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    if fixed:
        notes.append(f"{fixed} parameters that do not require a gradient are held fixed.")
    return notes

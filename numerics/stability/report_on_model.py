"""Is the minimum that this model is at stable under gradient descent, under SGD? Everything that decides it, in one object."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.stability.derivatives import joined
from numerics.stability.module_loss import ModuleLoss, module_loss
from numerics.stability.momentum import momentum_of
from numerics.stability.report_claims import on_line, verdicts_of
from numerics.stability.report_object import Answer, Eigenvalue, Position, Report, StepSizes
from numerics.stability.report_spectra import (
    THRESHOLD_POINTS,
    ends_of_hessian,
    root_of,
    sgd_step_sizes,
    top_of_features,
    two_layer_sharpness,
)
from numerics.tensors import few_threads, norm
from theory.checks import batch_size as checked_batch
from theory.checks import nonnegative, positive
from theory.symbols import ModelLoss
from theory.two_layer import Weights

MOST_APART = 1e150
"""Beyond this the square of a ratio is inf."""


def report(
    model: nn.Module | Weights,
    x: object,
    y: object,
    step_size: float,
    batch_size: int,
    loss: ModelLoss = "half_mean",
    *,
    momentum: float = 0.0,
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

    With momentum, v' = b v + g, w' = w - eta v', 2 is 2 (1 + b) for GD (B11.c), and SGD's second moments go to 0 below the
    threshold of B11; the claims on the function speak of descent without momentum and are left out. For Adam and the like see
    `preconditioned_sharpness`.

    All of it is computed in float64 on a copy in eval mode (dropout off, batch norm with its stored statistics); the model
    is left as it is. Memory is that of two backward passes over 2048 examples, and of 12 vectors of parameters.

    Args:
        model: scalar or vector outputs on x, [n] or [n, ...]; or the weights of a two-layer ReLU network on the line.
        x: the inputs, [n, ...], as the model takes them; [n] are passed on as [n, 1]. Tensors of integers are passed on as
            they are, all other numbers in float64.
        y: the targets, of the shape of the outputs, or [n] for one output; for "cross_entropy" labels [n] from 0 to c - 1.
        step_size: eta > 0, of gradient descent on `loss`.
        batch_size: B, from 1 to n, without replacement; with n it is gradient descent.
        loss: "half_mean" (1/2n) sum_j ||f(x_j) - y_j||^2, "mean" twice that, "mse_loss" the mean of
            squares over the c outputs too, as torch.nn.MSELoss, or "cross_entropy" (1/n) sum_j -log softmax(f(x_j))[y_j].
        momentum: b, from 0 to below 1, as of `torch.optim.SGD`.
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
    eta, b = float(positive("step_size", step_size)), momentum_of(momentum)
    nonnegative("interpolation_tolerance", interpolation_tolerance)
    nonnegative("gradient_tolerance", gradient_tolerance)
    positive("tolerance", tolerance)
    module = TwoLayerReLU.from_weights(model) if isinstance(model, Weights) else model
    threads = few_threads(_work(module, x))
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]), threads:
        problem = module_loss(module, x, y, loss)
        n, c = problem.outputs.shape
        batch = checked_batch(batch_size, n)
        gradient_norm = norm(problem.gradient())
        kernel = problem.gram()
        root = None if kernel is None else root_of(kernel)
        features = top_of_features(problem, root, tolerance)
        sharpness = two_layer_sharpness(problem, tolerance) or features.eigenvalue
        misfit = _misfit(problem)
        interpolates = misfit is not None and misfit <= interpolation_tolerance
        critical_gradient = gradient_tolerance * sharpness.value * norm(joined(problem.parameters, problem.parameters))
        critical = interpolates or gradient_norm <= critical_gradient
        top, bottom = ends_of_hessian(problem, features.direction, tolerance, bottom=critical and not interpolates)
        step_sizes = sgd_step_sizes(problem, kernel, root, features, batch, tolerance, b)
    position: Position = (
        "an interpolating minimum"
        if interpolates
        else "a critical point that does not interpolate"
        if critical
        else "no critical point"
    )
    decides = sharpness if interpolates else top
    edge = 2 * (1 + b)
    largest = edge / decides.value if decides.value > 0 else math.inf
    if bottom is not None and bottom.upper < 0:
        largest, step_sizes = 0.0, StepSizes(0.0, 0.0, exact=True)
    gd, sgd = _answers(position, eta, decides, bottom, step_sizes, edge=edge, smooth=problem.toggling == 0)
    line = on_line(problem) if b == 0 else None
    flattest, critical_step, verdicts, remarks = (
        verdicts_of(problem, *line, eta, batch, root if interpolates else None) if line else (None, None, (), ())
    )
    return Report(
        model=type(module).__name__,
        parameters=problem.dimension,
        points=n,
        outputs=c,
        loss=loss,
        step_size=eta,
        batch_size=batch,
        momentum=b,
        training_loss=problem.value,
        misfit=misfit,
        interpolates=interpolates,
        interpolation_tolerance=interpolation_tolerance,
        gradient_norm=gradient_norm,
        gradient_tolerance=gradient_tolerance,
        critical_gradient=critical_gradient,
        position=position,
        sharpness=sharpness,
        hessian_top=top,
        hessian_bottom=bottom,
        gd_step_size=largest,
        sgd_step_sizes=step_sizes,
        gd=gd,
        sgd=gd if batch == n else sgd,
        toggling=problem.toggling,
        flattest=flattest,
        critical_step_size=critical_step,
        verdicts=verdicts,
        notes=(*_notes(module, problem, position, bottom, step_sizes, b), *remarks),
    )


def _work(module: Any, x: Any) -> int:
    """Return parameters times examples; 0 where there are none, of which `module_loss` says what is wrong."""
    try:
        return int(sum(p.numel() for p in module.parameters()) * len(x))
    except (AttributeError, TypeError, ValueError):
        return 0


def _misfit(problem: ModuleLoss) -> float | None:
    """Return the squared loss relative to that of f = 0, inf where that is 0 and it is not; None for cross-entropy."""
    if problem.loss == "cross_entropy":
        return None
    size, apart = norm(problem.y), norm(problem.outputs - problem.y)
    if apart == 0:
        return 0.0
    return (apart / size) ** 2 if size > 0 and apart / size < MOST_APART else math.inf


def _answers(
    position: Position,
    eta: float,
    top: Eigenvalue,
    bottom: Eigenvalue | None,
    step_sizes: StepSizes,
    *,
    edge: float,
    smooth: bool,
) -> tuple[Answer, Answer]:
    """Return the answers for GD and for SGD with batches smaller than the data."""
    if position == "no critical point":
        return "no minimum", "no minimum"
    if not smooth:
        return "undecided", "undecided"
    if eta * top.lower > edge or (bottom is not None and bottom.upper < 0):
        return "unstable", "unstable"
    gd: Answer = "stable" if eta * top.upper <= edge else "undecided"
    if position != "an interpolating minimum":
        return gd, "undecided"
    if eta > step_sizes.upper:
        return gd, "unstable"
    return gd, "stable" if eta <= step_sizes.lower else "undecided"


def _notes(
    model: nn.Module,
    problem: ModuleLoss,
    position: Position,
    bottom: Eigenvalue | None,
    step_sizes: StepSizes,
    b: float,
) -> list[str]:
    """Return what the numbers do not say by themselves."""
    notes, edge = [], 2 * (1 + b)
    if b and on_line(problem):
        notes.append("The claims on the function speak of descent without momentum: they are left out.")
    if problem.toggling:
        notes.append(
            f"{problem.toggling} pre-activations are at a kink to rounding: the loss may not be twice differentiable here, "
            "the eigenvalues are those on one side of the kinks, and nothing is decided."
        )
    if position == "no critical point":
        notes.append(
            "The gradient does not vanish: this is no minimum, and training moves on. The eigenvalues are those of the loss "
            f"on the way; eta lambda / {edge:g} says how far the step size is from the edge of stability there."
        )
    if bottom is not None and bottom.upper < 0:
        notes.append("The Hessian has a negative eigenvalue: gradient descent leaves these weights, at any step size.")
    elif position == "a critical point that does not interpolate":
        notes.append(
            "The weights do not interpolate. The Hessian has a term in the residuals besides the Gauss-Newton matrix; it "
            "decides for GD. Gradients of single examples do not vanish here, so SGD does not come to rest: at best it "
            "stays around the minimum. The step sizes for SGD are those without that term and without that noise; they "
            f"do not decide, but beyond {edge:g} over the Hessian's top eigenvalue SGD is unstable for every batch size (M1)."
        )
    if problem.loss == "mean" and problem.outputs.shape[1] > 1:
        c = problem.outputs.shape[1]
        notes.append(
            f"torch.nn.MSELoss averages over the {c} outputs too: that is the loss 'mse_loss', of which step sizes are {c} "
            "times larger."
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

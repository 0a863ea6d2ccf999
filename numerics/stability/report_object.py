"""What a report on a model holds, and its text."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from theory.claim import Ruling, Verdict
from theory.symbols import ModelLoss

Answer = Literal["stable", "unstable", "undecided", "no minimum"]
"""Whether the iteration, linearised, stays near the weights; "no minimum" where it moves on, so that there is no answer."""

EDGE = 0.05
"""A step size so near to the largest one, relative to it, is said to be at the edge of stability."""

Position = Literal["an interpolating minimum", "a critical point that does not interpolate", "no critical point"]
"""Where the weights are in the landscape of the loss."""

LOSSES: dict[ModelLoss, str] = {
    "half_mean": "(1/2n) sum_j |f(x_j) - y_j|^2",
    "mean": "(1/n) sum_j |f(x_j) - y_j|^2",
    "mse_loss": "(1/nc) sum_j |f(x_j) - y_j|^2",
    "cross_entropy": "(1/n) sum_j -log softmax(f(x_j))[y_j]",
}


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
    c outputs: "mse_loss", as `torch.nn.MSELoss`, averages over them, with gradients and Hessians c times smaller than "mean".

    Attributes:
        model: the class of the model.
        parameters: the number of parameters that require a gradient, shared ones counted once; the others are held fixed.
        points: n.
        outputs: c, the number of outputs.
        loss: which loss it is.
        step_size: eta.
        batch_size: B, drawn without replacement.
        momentum: b; 0 without.
        training_loss: what it is at the weights; inf beyond the range of floats.
        misfit: the squared loss relative to that of f = 0; None for cross-entropy.
        interpolates: whether `misfit` is at most `interpolation_tolerance`. Cross-entropy has
            no minimum of loss 0: False.
        interpolation_tolerance: see there.
        gradient_norm: of the loss.
        gradient_tolerance: see there.
        critical_gradient: the weights count as a critical point up to this gradient norm: so many times sharpness ||theta||,
            the gradient that a relative move of the weights by as much can make.
        position: where the weights are.
        sharpness: the top eigenvalue of the Gauss-Newton matrix (for cross-entropy, generalised).
        hessian_top: the top eigenvalue of the Hessian.
        hessian_bottom: its lowest; only for critical points that do not interpolate, else None.
        gd_step_size: 2 (1 + b) over the top eigenvalue that decides, inf if that is 0; 0 at saddles and maxima, which gradient
            descent leaves at every step size.
        sgd_step_sizes: for the linearisation with the Gauss-Newton matrix of each example as its Hessian, which is SGD's
            own at interpolation, and only there; 0 at saddles and maxima, which its mean leaves (M1).
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
    momentum: float
    training_loss: float
    misfit: float | None
    interpolates: bool
    interpolation_tolerance: float
    gradient_norm: float
    gradient_tolerance: float
    critical_gradient: float
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

    @property
    def decides(self) -> Eigenvalue:
        """The top eigenvalue that decides for gradient descent: of the Hessian, at interpolation the sharpness."""
        return self.sharpness if self.interpolates else self.hessian_top

    @property
    def edge(self) -> Eigenvalue:
        """Eta lambda / (2 (1 + b)), lambda the eigenvalue that `decides`, with its error: 1 at the edge of stability (M1)."""
        share = self.step_size / (2 * (1 + self.momentum))
        return Eigenvalue(share * self.decides.value, share * self.decides.error)

    @property
    def leaves(self) -> str | None:
        """What the weights are at if not at a minimum: "a saddle", "a maximum", or None."""
        if self.hessian_bottom is None or self.hessian_bottom.upper >= 0:
            return None
        if self.hessian_top.upper < 0:
            return "a maximum"
        return "a saddle" if self.hessian_top.lower > 0 else "a saddle or a maximum"

    def to_dict(self) -> dict[str, float | int | str | bool | list[str] | None]:
        """Return a row for a data frame: numbers and words, with entries for errors of eigenvalues and rulings on claims.

        Infinite numbers are floats; what does not apply is None; claims are named by their ids; notes are a list.
        """
        row: dict[str, float | int | str | bool | list[str] | None] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Eigenvalue):
                row |= {one.name: value.value, f"{one.name}_error": value.error}
            elif isinstance(value, StepSizes):
                row |= {
                    "sgd_step_size_lower": value.lower,
                    "sgd_step_size_upper": value.upper,
                    "sgd_exact": value.exact,
                }
            elif one.name == "hessian_bottom":
                row |= {one.name: None, f"{one.name}_error": None}
            elif one.name == "verdicts":
                row |= {verdict.claim: str(verdict.ruling) for verdict in self.verdicts}
            else:
                row[one.name] = list(value) if isinstance(value, tuple) else value
        return {**row, "stable": self.stable, "edge": self.edge.value, "edge_error": self.edge.error}

    def table(self) -> str:
        """Return the report as lines of text."""
        plural = "output" if self.outputs == 1 else "outputs"
        lines = [
            f"{self.model}: {self.parameters} parameters, {self.points} points, {self.outputs} {plural}; "
            f"loss {LOSSES[self.loss]}"
        ]
        applies = [f"{v.claim} {v.ruling}" for v in self.verdicts if v.ruling is not Ruling.INAPPLICABLE]
        rows = [
            ("loss", self._loss()),
            ("gradient norm", self._gradient()),
            ("sharpness", f"{_eigenvalue(self.sharpness)}; top eigenvalue of the Gauss-Newton matrix"),
            ("Hessian, top", _eigenvalue(self.hessian_top)),
            ("Hessian, lowest", _eigenvalue(self.hessian_bottom) if self.hessian_bottom else None),
            ("GD", self._gd()),
            (f"SGD, batches of {self.batch_size}", self._sgd()),
            ("momentum", f"{self.momentum:g}" if self.momentum else None),
            (f"step size {self.step_size:g}", f"GD {self.gd}, SGD {self.sgd}"),
            (f"eta lambda / {2 * (1 + self.momentum):g}", None if self.leaves else self._edge()),
            ("flattest (M5)", None if self.flattest is None else f"sharpness {_number(self.flattest)} or more"),
            (
                "data (B1.a)",
                None if self.critical_step_size is None else f"step sizes up to {_number(self.critical_step_size)}",
            ),
            ("claims on (x, f(x))", ", ".join(applies) or None),
        ]
        lines += [f"{name:<20} {text}" for name, text in rows if text is not None]
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

    def _loss(self) -> str:
        fits = "interpolates" if self.interpolates else "does not interpolate"
        if self.misfit is None:
            return f"{_number(self.training_loss)}; {fits}"
        limit = f"{_number(self.misfit)} of that of f = 0, up to {self.interpolation_tolerance:g} would"
        return f"{_number(self.training_loss)}; {fits}" + ("" if self.interpolates else f": {limit}")

    def _gradient(self) -> str:
        if self.position != "no critical point":
            return f"{_number(self.gradient_norm)}; {self.leaves or self.position}"
        return f"{_number(self.gradient_norm)}; no critical point: up to {_number(self.critical_gradient)} would be"

    def _gd(self) -> str:
        if self.leaves:
            return f"no step size: {self.leaves}"
        here = "" if self.position != "no critical point" else ", were these weights a minimum"
        return f"step sizes up to {_number(self.gd_step_size)}{here}"

    def _sgd(self) -> str:
        if self.leaves:
            return f"no step size: {self.leaves}"
        sgd = self.sgd_step_sizes
        linear = "" if self.interpolates else "; of the linearisation alone, which decides nothing here"
        if sgd.exact:
            return f"step sizes up to {_number(sgd.upper)}{linear}"
        return f"step sizes up to {_number(sgd.lower)}, none beyond {_number(sgd.upper)}{linear}"

    def _edge(self) -> str:
        found = self.edge
        where = "at" if abs(found.value - 1) <= EDGE else "below" if found.value < 1 else "beyond"
        return f"{_eigenvalue(found)}; {where} the edge of stability"

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

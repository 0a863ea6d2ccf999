"""How far from its threshold a training is, step by step: sharpness with warm starts, in a plain loop or as a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args

import numpy as np
import torch
from torch import nn, optim

from numerics.stability.curvature import Curvature, curvature_product
from numerics.stability.module_loss import ModuleLoss, check_loss, module_loss
from numerics.stability.optimiser import batch_sharpness_of, preconditioner
from numerics.stability.report_spectra import eigenvalue_at, lanczos
from theory.checks import Array, count, positive
from theory.symbols import ModelLoss

Measure = Callable[[nn.Module], float]
"""A model to a number, such as its geometric complexity."""


@dataclass(frozen=True)
class TrackedStep:
    """What was seen at one step.

    Attributes:
        step: how many calls of the tracker were before.
        loss: on the tracker's data, without weight decay.
        gradient_norm: of that loss.
        sharpness: the top eigenvalue of P^(-1/2) H P^(-1/2), P the optimiser's preconditioner: of H for SGD.
        error: the norm of its residual.
        limit: what the optimiser stays below, see `PreconditionedSharpness`: 2/eta for SGD.
        gauss_newton: the same of the Gauss-Newton matrix.
        batch_sharpness: see `batch_sharpness`; None if it was not asked for.
        batch_error: its standard error.
        measures: what was asked for beside.
    """

    step: int
    loss: float
    gradient_norm: float
    sharpness: float
    error: float
    limit: float
    gauss_newton: float
    batch_sharpness: float | None
    batch_error: float | None
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """`sharpness` over `limit`: about 1 at the edge of stability."""
        return self.sharpness / self.limit

    def to_dict(self) -> dict[str, float | int | None]:
        """Return a row for a data frame, measures under their names."""
        row: dict[str, float | int | None] = {**asdict(self), "ratio": self.ratio, **self.measures}
        del row["measures"]
        return row


class StabilityTracker:
    """Rows of loss, sharpness and thresholds along a training.

    Call it after each step of the optimiser; every k-th call, from the first on, it looks at the weights. Eigenvectors of one
    time start the next, which is near. What a look costs is some tens of products with the Hessian on the tracker's data:
    give it part of the data, and k, to make it as cheap as you like. The model is left as it is.

    Args:
        model: see `report`.
        x: inputs of the data that the sharpness is of, [n, ...].
        y: targets, or labels.
        optimizer: see `preconditioned_sharpness`.
        loss: see `report`.
        every: k, at least 1.
        batch_size: if given, the batch sharpness for batches of so many is kept too.
        draws: so many batches.
        measures: names to functions of the model, to be kept too.
        tolerance: the residual, relative to the eigenvalue, at which Lanczos stops; above 0.

    Raises:
        TypeError: if `model` is no module, `measures` holds no functions, or a number is of another type.
        ValueError: if `loss` is unknown, a number is out of range, or a measure has the name of another column.

    Example:
        >>> import torch
        >>> from numerics.stability import StabilityTracker
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> x, y = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.zeros(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        >>> tracker = StabilityTracker(model, x, y, optimizer, every=2)
        >>> for _ in range(4):
        ...     optimizer.zero_grad()
        ...     ((model(x) - y) ** 2).mean().div(2).backward()
        ...     optimizer.step()
        ...     _ = tracker()
        >>> [(row.step, round(row.sharpness, 3), row.limit) for row in tracker.rows]
        [(0, 1.309, 4.0), (2, 1.309, 4.0)]
    """

    def __init__(
        self,
        model: nn.Module,
        x: object,
        y: object,
        optimizer: optim.Optimizer,
        loss: ModelLoss = "half_mean",
        *,
        every: int = 1,
        batch_size: int | None = None,
        draws: int = 20,
        measures: Mapping[str, Measure] | None = None,
        tolerance: float = 1e-4,
    ) -> None:
        """Take the model, its data and its optimiser.

        Raises:
            TypeError: if `model` is no module, `measures` holds no functions, or a number is of another type.
            ValueError: if `loss` is unknown, a number is out of range, or a measure has the name of another column.
        """
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}")
        check_loss(loss)
        self.model, self.x, self.y, self.optimizer = model, x, y, optimizer
        self.loss: ModelLoss = loss
        self.every = count("every", every)
        self.batch_size = None if batch_size is None else count("batch_size", batch_size)
        self.draws = count("draws", draws, fewest=2)
        self.tolerance = float(positive("tolerance", tolerance))
        self.measures = dict(measures or {})
        for name, measure in self.measures.items():
            if not callable(measure):
                raise TypeError(f"measures must map names to functions, got {type(measure).__name__} for {name!r}")
            if name in TrackedStep.__dataclass_fields__ or name == "ratio":
                raise ValueError(f"measures must have names of their own, got {name!r}, which is another column's")
        self.calls = 0
        self.rows: list[TrackedStep] = []
        self._problem: ModuleLoss | None = None
        self._names: tuple[str, ...] = ()
        self._starts: dict[str, Array] = {}

    def __call__(self) -> TrackedStep | None:
        """Count a step, and at every k-th look at the weights.

        Raises:
            TypeError: see `preconditioned_sharpness`.
            ValueError: see there.
            RuntimeError: see there.
        """
        step, self.calls = self.calls, self.calls + 1
        if step % self.every:
            return None
        seen = preconditioner(self.model, self.optimizer)
        with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
            problem = self._at_the_weights(seen.names)
            tops = {}
            for matrix in get_args(Curvature):
                product = seen.applied_to(curvature_product(problem, matrix))
                start = self._starts.get(matrix)
                if start is not None:
                    drawn = np.random.default_rng(step).standard_normal(len(start))
                    start = start + 0.1 * drawn / np.linalg.norm(drawn)
                vector = lanczos(problem.dimension, product, self.tolerance, start)
                self._starts[matrix] = vector
                tops[matrix] = eigenvalue_at(product, vector)
            batch = None
            if self.batch_size is not None:
                batch = batch_sharpness_of(problem, self.batch_size, self.draws, seed=step)
            row = TrackedStep(
                step,
                problem.value,
                float(np.linalg.norm(problem.gradient())),
                tops["hessian"].value,
                tops["hessian"].error,
                seen.limit,
                tops["gauss_newton"].value,
                None if batch is None else batch.value,
                None if batch is None else batch.standard_error,
                {name: float(measure(self.model)) for name, measure in self.measures.items()},
            )
        self.rows.append(row)
        return row

    def _at_the_weights(self, names: tuple[str, ...]) -> ModuleLoss:
        """Return the loss at the model's weights; it is checked the first time, and if the optimiser holds others."""
        if self._problem is None or names != self._names:
            self._problem = module_loss(self.model, self.x, self.y, self.loss, only=names)
            self._names, self._starts = names, {}
            return self._problem
        self._problem.model.load_state_dict(self.model.state_dict())
        return replace(self._problem)  # what is cached was of other weights

    def to_dicts(self) -> list[dict[str, float | int | None]]:
        """Return the rows for a data frame."""
        return [row.to_dict() for row in self.rows]

    def callback(self) -> TrackerCallback:
        """Return an object that a Lightning trainer calls after each batch."""
        return TrackerCallback(self)


class TrackerCallback:
    """A tracker as what a Lightning trainer takes for a callback; all hooks but the one after a batch do nothing.

    Attributes:
        tracker: the tracker.
    """

    def __init__(self, tracker: StabilityTracker) -> None:
        """Take the tracker."""
        self.tracker = tracker

    @property
    def state_key(self) -> str:
        """The name under which a trainer would keep its state."""
        return type(self).__qualname__

    def on_train_batch_end(self, *given: Any) -> None:
        """Call the tracker; what a trainer gives is not looked at."""
        self.tracker()

    def state_dict(self) -> dict[str, Any]:
        """Return no state."""
        return {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a hook that does nothing.

        Raises:
            AttributeError: if it is no hook.
        """
        if name.startswith("on_") or name in ("setup", "teardown", "load_state_dict"):
            return lambda *given, **named: None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

"""SGD on any `nn.Module`, any loss and penalties: deterministic from a seed, and resumed bit for bit from a checkpoint."""

from __future__ import annotations

import hashlib
import io
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn
from torch.nn import functional

from numerics.files import write_whole
from numerics.optimisers import MedianOfMeansSGD, WinsorizedSGD, per_example_gradients
from numerics.training.draws import batches
from numerics.training.members import Outcome
from theory.checks import count, positive
from theory.symbols import Sampling

Optimiser = Literal["sgd", "adam"]

Stepper = Callable[..., torch.optim.Optimizer]
"""What makes an optimiser of parameters and a step size `lr`, such as `partial(WinsorizedSGD, level=10)`."""

Term = Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor]
"""What is added to the loss: of the network, inputs and targets of the batch, a scalar that can be differentiated."""

Measure = Callable[[nn.Module], Mapping[str, float | list[float]]]
"""What is recorded of a network, in evaluation mode: name to number, or to a list of numbers."""

Relabel = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
"""What becomes of the targets of a batch: noise that is drawn afresh in every step."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be resumed, in one sentence that says what was found and what to do."""


@dataclass(frozen=True, eq=False)
class TrainedModule:
    """What came of training a module, which holds the weights at the end.

    Attributes:
        steps: how many steps were made.
        outcome: INTERPOLATED if the loss fell below `stop_loss`, DIVERGED, or BUDGET_SPENT.
        loss: the mean of the batch losses of the last whole epoch, without penalties; nan if none was whole.
        records: what was recorded, a mapping a time: "step", and what `measure` returned.
        seconds: wall time, of all calls that led here.
    """

    steps: int
    outcome: Outcome
    loss: float
    records: Sequence[Mapping[str, Any]]
    seconds: float


def train_module(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    step_size: float,
    max_steps: int,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = functional.cross_entropy,
    penalties: Sequence[Term] = (),
    relabel: Relabel | None = None,
    batch_size: int | None = None,
    sampling: Sampling = "reshuffling",
    optimiser: Optimiser | Stepper = "sgd",
    momentum: float = 0.0,
    stop_loss: float = 0.0,
    seed: int = 0,
    measure: Measure | None = None,
    measure_at: Collection[int] = (),
    checkpoint: Path | None = None,
    checkpoint_every: int = 1000,
    name: str = "",
    progress: Callable[[int, int, float], object] | None = None,
) -> TrainedModule:
    """Train a module in place, on the device of its weights, and return what came of it.

    A step goes along the gradient of loss + sum of penalties on a batch. Batches, fresh labels and dropout depend on the
    seed and the step alone, so that a run that is resumed makes the steps that it would have made. It ends after
    `max_steps`, when the mean batch loss of an epoch, without penalties, is below `stop_loss`, or when a batch loss is
    not finite.

    Args:
        model: any module of floating-point weights; put into training mode.
        x: inputs, [n, ...], on the device of the module.
        y: targets, [n, ...], as the loss wants them.
        step_size: above 0.
        max_steps: the most steps, at least 1.
        loss: of outputs and targets of a batch, a mean over it.
        penalties: what is added to it, with their coefficients.
        relabel: draws the targets of a batch afresh; None leaves them as they are.
        batch_size: points in a batch, 1 to n; None for all.
        sampling: "reshuffling" or "without_replacement", see `numerics.training.batches`.
        optimiser: "sgd", "adam" with the defaults of torch, or what makes an optimiser of the parameters and `lr`, the step
            size. `WinsorizedSGD` and `MedianOfMeansSGD` are given the gradients of the batch's examples, and no penalties.
        momentum: of SGD, from 0 to below 1; 0 for all others.
        stop_loss: at least 0; 0 for none.
        seed: of all that is drawn, at least 0.
        measure: what to record of the module.
        measure_at: after how many steps, 0 the start; what the run does not reach is not recorded.
        checkpoint: a file that the state is kept in, and resumed from if it is there; None for none. It holds tensors
            and numbers only, and its SHA-256.
        checkpoint_every: steps from one to the next; one is also kept at the end.
        name: says what loss, penalties and relabelling are; a checkpoint of another name is refused.
        progress: called after each epoch with the step, `max_steps` and the epoch's mean loss.

    Returns:
        Steps, outcome, loss and records.

    Raises:
        TypeError: if x or y is no tensor, or a number has the wrong type.
        ValueError: if a number is out of its range, or x and y differ in length.
        CheckpointError: if the checkpoint is not whole, or of another run.

    Example:
        >>> import torch
        >>> from numerics.models import mlp
        >>> from numerics.training.modules import train_module
        >>> x = torch.linspace(-1, 1, 8)[:, None]
        >>> run = train_module(
        ...     mlp([1, 20, 1], seed=0), x, x.square(), loss=torch.nn.functional.mse_loss, step_size=0.1, max_steps=500
        ... )
        >>> run.steps, str(run.outcome), run.loss < 0.01
        (500, 'budget spent', True)
    """
    _check(x, y, step_size, momentum, optimiser, stop_loss)
    max_steps, every = count("max_steps", max_steps), count("checkpoint_every", checkpoint_every)
    seed, size = count("seed", seed, fewest=0), len(x) if batch_size is None else batch_size
    drawn = batches(len(x), size, sampling=sampling, seed=seed)
    per_epoch = math.ceil(len(x) / size)
    stepper = _stepper(model, optimiser, step_size, momentum)
    by_example = isinstance(stepper, WinsorizedSGD | MedianOfMeansSGD)
    if by_example and penalties:
        raise ValueError(f"penalties must be none with {type(stepper).__name__}, which sees the gradients of examples")
    made = optimiser if isinstance(optimiser, str) else f"{type(stepper).__name__} {stepper.defaults}"
    settings = [step_size, momentum, made, size, sampling, seed, stop_loss, sorted(measure_at), name]
    state = _State(model, stepper, _identity(model, x, y, settings), checkpoint)
    state.resume()
    began = time.perf_counter() - state.seconds
    moments = frozenset(measure_at)
    model.train()
    with _own_draws(x.device):
        if state.step == 0 and 0 in moments:
            state.record(measure)
        for batch in islice(drawn, state.step, None):
            if state.outcome is not None or state.step >= max_steps:
                break
            chosen = torch.from_numpy(batch).to(x.device)
            inputs, targets = x[chosen], y[chosen]
            mixed = _mixed(seed, state.step)
            torch.manual_seed(mixed)
            if relabel is not None:
                targets = relabel(targets, torch.Generator(x.device).manual_seed(mixed))
            if by_example:
                value = _step_by_example(model, stepper, inputs, targets, loss)
            else:
                value = _step(model, stepper, inputs, targets, loss, penalties)
            whole = state.advance(value, per_epoch, stop_loss)
            if whole and progress is not None:
                progress(state.step, max_steps, state.loss)
            if state.step in moments:
                state.record(measure)
            if state.step % every == 0:
                state.keep(time.perf_counter() - began)
    state.keep(time.perf_counter() - began)
    return TrainedModule(
        state.step, state.outcome or Outcome.BUDGET_SPENT, state.loss, state.records, time.perf_counter() - began
    )


def _check(
    x: torch.Tensor,
    y: torch.Tensor,
    step_size: float,
    momentum: float,
    optimiser: Optimiser | Stepper,
    stop_loss: float,
) -> None:
    """Check data and settings.

    Raises:
        TypeError: if x or y is no tensor, or a number has the wrong type.
        ValueError: if a number is out of its range, or x and y differ in length.
    """
    for argument, value in (("x", x), ("y", y)):
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{argument} must be a torch.Tensor, got {type(value).__name__}")
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"x and y must hold one row a data point, at least one, got {len(x)} and {len(y)}")
    positive("step_size", step_size)
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be from 0 to below 1, got {momentum}")
    if optimiser not in get_args(Optimiser) and not callable(optimiser):
        raise ValueError(f"optimiser must be 'sgd', 'adam' or what makes an optimiser, got {optimiser!r}")
    if optimiser != "sgd" and momentum:
        raise ValueError(f"momentum must be 0 with optimiser {optimiser!r}, got {momentum}")
    if not stop_loss >= 0:
        raise ValueError(f"stop_loss must be at least 0, got {stop_loss}")


def _stepper(
    model: nn.Module, optimiser: Optimiser | Stepper, step_size: float, momentum: float
) -> torch.optim.Optimizer:
    """Return what makes the steps, of the weights that are trained.

    Raises:
        TypeError: if it is made, and is no optimiser.
    """
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if optimiser == "adam":
        return torch.optim.Adam(weights, lr=step_size)
    if optimiser == "sgd":
        return torch.optim.SGD(weights, lr=step_size, momentum=momentum)
    made = optimiser(weights, lr=step_size)
    if not isinstance(made, torch.optim.Optimizer):
        raise TypeError(f"optimiser must make a torch.optim.Optimizer, got {type(made).__name__}")
    return made


def _step(
    model: nn.Module,
    stepper: torch.optim.Optimizer,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    penalties: Sequence[Term],
) -> float:
    """Make a step along the gradient of loss + penalties on a batch; return the loss before it, without penalties."""
    stepper.zero_grad(set_to_none=True)
    value = loss(model(inputs), targets)
    total = value
    for penalty in penalties:
        total = total + penalty(model, inputs, targets)
    total.backward()
    stepper.step()
    return float(value.detach())


def _step_by_example(
    model: nn.Module,
    stepper: torch.optim.Optimizer,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Make a step of an optimiser that sees the gradients of a batch's examples; return the loss before it."""
    with torch.no_grad():
        value = float(loss(model(inputs), targets))
    gradients: Any = per_example_gradients(model, inputs, targets, loss)
    stepper.step(gradients)
    return value


class _State:
    """Where a run is, and how it is kept."""

    def __init__(self, model: nn.Module, stepper: torch.optim.Optimizer, identity: str, file: Path | None) -> None:
        self.model, self.stepper, self.identity, self.file = model, stepper, identity, file
        self.step, self.sum, self.loss, self.seconds = 0, 0.0, math.nan, 0.0
        self.outcome: Outcome | None = None
        self.records: list[dict[str, Any]] = []

    def advance(self, value: float, per_epoch: int, stop_loss: float) -> bool:
        """Count a step of this batch loss, and see whether training ends; return whether an epoch is whole."""
        self.step += 1
        self.sum += value
        if not math.isfinite(self.sum):
            self.outcome = Outcome.DIVERGED
            return False
        if self.step % per_epoch:
            return False
        self.loss, self.sum = self.sum / per_epoch, 0.0
        if self.loss < stop_loss:
            self.outcome = Outcome.INTERPOLATED
        return True

    def record(self, measure: Measure | None) -> None:
        """Measure the network in evaluation mode, drawing from no generator of the run."""
        self.model.eval()
        found = {} if measure is None else measure(self.model)
        self.model.train()
        self.records.append({"step": self.step, **found})

    def keep(self, seconds: float) -> None:
        """Write the checkpoint, whole or not at all: the SHA-256 of what follows, and what torch saves."""
        if self.file is None:
            return
        buffer = io.BytesIO()
        kept = {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimiser": self.stepper.state_dict(),
            "step": self.step,
            "sum": self.sum,
            "loss": self.loss,
            "seconds": seconds,
            "outcome": None if self.outcome is None else str(self.outcome),
            "records": self.records,
        }
        torch.save(kept, buffer)
        content = buffer.getvalue()
        write_whole(self.file, lambda aside: aside.write_bytes(_digest(content) + content))

    def resume(self) -> None:
        """Take up the checkpoint if it is there.

        Raises:
            CheckpointError: if it is not whole, or of another run.
        """
        if self.file is None or not self.file.exists():
            return
        content = self.file.read_bytes()
        if content[:64] != _digest(content[64:]):
            raise CheckpointError(f"{self.file} is not a whole checkpoint: remove it to start again")
        kept: dict[str, Any] = torch.load(io.BytesIO(content[64:]), weights_only=True)
        if kept["identity"] != self.identity:
            raise CheckpointError(
                f"{self.file} is of another network, data, settings or name: choose another file, or remove it"
            )
        self.model.load_state_dict(kept["model"])
        self.stepper.load_state_dict(kept["optimiser"])
        self.step, self.sum, self.loss = kept["step"], kept["sum"], kept["loss"]
        self.seconds, self.records = kept["seconds"], kept["records"]
        self.outcome = None if kept["outcome"] is None else Outcome(kept["outcome"])


def _digest(content: bytes) -> bytes:
    """Return the SHA-256 of bytes in 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest().encode()


def _identity(model: nn.Module, x: torch.Tensor, y: torch.Tensor, settings: Sequence[object]) -> str:
    """Return the SHA-256 of a run: structure and initial weights of the network, data and settings."""
    found = hashlib.sha256(f"{model}\n{settings}".encode())
    for name, tensor in (*model.state_dict().items(), ("x", x), ("y", y)):
        values = tensor.detach().cpu().contiguous()
        found.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        found.update(values.numpy().tobytes())
    return found.hexdigest()


def _mixed(seed: int, step: int) -> int:
    """Return a seed for torch below 2^63 that depends on the seed and the step alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{step}".encode()).digest()[:8], "big") >> 1


@contextmanager
def _own_draws(device: torch.device) -> Iterator[None]:
    """Leave the generators of torch as they are found."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield

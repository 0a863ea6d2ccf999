"""Inputs of which a report could say something wrong with confidence, by the kind of fault that would let it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from numerics.geometric_complexity import geometric_complexity
from numerics.networks import TwoLayerReLU
from numerics.smoothness import gradient_norm, total_variation
from numerics.stability import report, sharpness
from numerics.tensors import norm
from theory.two_layer import Weights

Function = Callable[[torch.Tensor], torch.Tensor]
X = torch.tensor([[0.25, 1.0], [1.0, -0.5], [2.0, 0.3], [-0.7, 0.1]], dtype=torch.float64)


class Between(nn.Module):
    """Two linear layers and what is put between them."""

    def __init__(self, between: Function, units: int = 4) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.between, self.last = nn.Linear(2, units), between, nn.Linear(units, 1)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.last(self.between(self.first(x)))
        return result


class Through(nn.Module):
    """A linear function of weights that are changed by a function first."""

    def __init__(self, change: Function) -> None:
        super().__init__()
        self.w, self.change = nn.Parameter(torch.tensor([1.2, 4.0], dtype=torch.float64)), change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.change(self.w)


class Doubled(torch.autograd.Function):
    """The identity, with twice its derivative."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        return z.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return 2 * gradient


def _reversed(z: torch.Tensor) -> torch.Tensor:
    out = z.tanh()
    if out.requires_grad:
        out.register_hook(torch.neg)
    return out


def _without_graph(z: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        gate = torch.sigmoid(z)
    return z * gate


# What autograd says is held against differences of the function


@pytest.mark.parametrize(
    "model",
    [
        Through(lambda w: w + (torch.round(w) - w).detach()),
        Through(lambda w: w * w.detach()),
        Through(lambda w: Doubled.apply(w)),
        Through(lambda w: w.data * w),
        Between(_without_graph),
        Between(_reversed),
        Between(lambda z: torch.tanh(z) + z.detach() ** 2),
    ],
    ids=["straight through", "one factor detached", "wrong backward", "data", "no_grad", "reversed", "a part detached"],
)
def test_derivatives_that_are_not_those_of_the_function_are_refused(model: nn.Module) -> None:
    with pytest.raises(
        ValueError, match=r"^model must be one that autograd differentiates twice, got derivatives of its"
    ):
        report(model, X, torch.zeros(4), 0.1, 2)


def test_a_checkpoint_that_loses_gradients_is_refused_and_another_is_right() -> None:
    plain = Between(torch.tanh)

    class Kept(nn.Module):
        def __init__(self, reentrant: bool) -> None:
            super().__init__()
            self.plain, self.reentrant = plain, reentrant

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = checkpoint(lambda z: torch.tanh(self.plain.first(z)), x, use_reentrant=self.reentrant)
            result: torch.Tensor = self.plain.last(hidden)
            return result

    right = report(plain, X, torch.zeros(4), 0.1, 2).sharpness.value
    assert report(Kept(reentrant=False), X, torch.zeros(4), 0.1, 2).sharpness.value == pytest.approx(right, rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of inputs without a gradient
        with pytest.raises(ValueError, match="use_reentrant"):
            report(Kept(reentrant=True), X, torch.zeros(4), 0.1, 2)


def test_parameters_of_another_module_are_refused() -> None:
    """A copy of the model would go on using them, and move others."""
    other = nn.Linear(4, 4).double()
    for model in (Between(other.forward), Between(lambda z: torch.tanh(other(z)))):
        with pytest.raises(ValueError, match=r"^model must hold the parameters that it uses, got .* shape \(4,"):
            report(model, X, torch.zeros(4), 0.1, 2)


# Rows do not see each other, whichever half they are in


@pytest.mark.parametrize(
    "mix",
    [
        lambda z: z + z[-1],
        lambda z: z + z[0],
        lambda z: z.cumsum(0),
        lambda z: z + torch.arange(len(z)).to(z)[:, None],
        lambda z: z - z.mean(0),
    ],
    ids=["last row", "first row", "rows before", "place in the batch", "mean"],
)
def test_rows_that_see_each_other_are_refused(mix: Function) -> None:
    with pytest.raises(ValueError, match=r"^model must give a row of x the same output every time and whatever"):
        report(Between(mix), X, torch.zeros(4), 0.1, 2)


# One rectifier, written in many ways


def _own_relu() -> Function:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(z)
            return (z + z.pow(2).sqrt()) / 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            (z,) = ctx.saved_tensors
            return gradient * (z > 0)

    return lambda z: Own.apply(z)  # type: ignore[no-any-return]


RECTIFIERS: dict[str, Function] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "hardtanh": lambda z: functional.hardtanh(z, 0, 100),
    "clamp": lambda z: z.clamp(min=0),
    "clamp_min": lambda z: z.clamp_min(0),
    "maximum": lambda z: torch.maximum(z, torch.zeros_like(z)),
    "where": lambda z: torch.where(z > 0, z, 0 * z),
    "product with a comparison": lambda z: z * (z > 0),
    "threshold": lambda z: functional.threshold(z, 0, 0),
    "rrelu": nn.RReLU().eval(),
    "prelu": nn.PReLU(init=0.1),
    "absolute value": lambda z: (z + z.abs()) / 2,
    "softshrink": lambda z: functional.softshrink(z + 0.5),
    "elu": functional.elu,
    "a function of the user's": _own_relu(),
    "sort": lambda z: torch.sort(torch.cat([z, 0 * z], dim=1), dim=1).values,
    "max over an axis": lambda z: torch.stack([z, 0 * z]).amax(0),
}


@pytest.mark.parametrize("name", RECTIFIERS)
def test_a_rectifier_on_its_kink_decides_nothing_however_it_is_written(name: str) -> None:
    def model(offset: float) -> nn.Module:
        made = Between(RECTIFIERS[name], 2)
        with torch.no_grad():
            made.first.weight.copy_(torch.tensor([[1.0, 0.0], [0.3, 0.2]]))
            made.first.bias.copy_(torch.tensor([-1.0 + offset, 0.5]))
            if name == "sort":
                made.last = nn.Linear(4, 1).double()
        return made.double().eval()

    on_kink, beside = model(0.0), model(1e-3)
    found = report(on_kink, X, on_kink(X).detach(), 0.01, 4)
    assert (found.gd, found.sgd) == ("undecided", "undecided")
    assert found.toggling >= 1
    found = report(beside, X, beside(X).detach(), 0.01, 4)
    assert (found.gd, found.toggling) == ("stable", 0)


def test_a_kink_is_looked_for_where_a_faster_path_hides_it() -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(8, 1)).double().eval()
    with torch.no_grad():
        layer.linear1.weight[0], layer.linear1.bias[0] = 0.0, 0.0  # on its kink at every input
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    found = report(model, x, model(x).detach(), 0.01, 3)
    assert found.toggling == 6  # positions
    assert found.gd == "undecided"


def test_zeros_of_the_outputs_are_no_kinks() -> None:
    class Saddle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.a * self.b * x

    found = report(Saddle(), [1.0, 2.0], [1.0, 2.0], 0.01, 1)
    assert (found.toggling, found.leaves, found.gd, found.gd_step_size) == (0, "a saddle", "unstable", 0.0)


# Squares that underflow or overflow


@pytest.mark.parametrize(
    ("output", "target"), [(3e-200, 1e-200), (1.0, 1e200), (1e-180, -1e-180), (1e170, 1e160), (0.0, 1e-300)]
)
def test_what_is_far_off_does_not_interpolate_at_any_scale(output: float, target: float) -> None:
    model = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        model.weight.fill_(output)
    found = report(model, [1.0, 1.0], [target, target], 0.1, 2)
    assert not found.interpolates
    assert found.gradient_norm == pytest.approx(abs(output - target), rel=1e-12)
    assert (found.gd, found.sharpness.value) == ("no minimum", pytest.approx(1.0, rel=1e-12))


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e-3, 1.0, 1e160, 1e200])
def test_what_fits_interpolates_at_any_scale(scale: float) -> None:
    model = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        model.weight.fill_(scale)
    found = report(model, [1.0, 1.0], [scale, scale * (1 + 1e-9)], 0.1, 2)
    assert (found.interpolates, found.gd) == (True, "stable")


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_a_norm_does_not_form_squares(scale: float) -> None:
    assert norm(scale * np.array([3.0, 4.0])) == pytest.approx(5 * scale, rel=1e-14)
    assert norm(np.zeros((2, 3))) == norm(np.zeros(0)) == 0
    assert norm(np.array([1.0, np.inf])) == np.inf


# Batches of one


@pytest.mark.parametrize("n", [1, 2, 6, 2049])
def test_a_model_may_squeeze_a_batch_of_one(n: int) -> None:
    class Net(nn.Module):
        def __init__(self, squeeze: bool) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.body, self.squeeze = nn.Linear(2, 1), squeeze

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.body(x)
            return out.squeeze() if self.squeeze else out[:, 0]

    torch.manual_seed(0)
    x, y = torch.randn(n, 2), torch.randn(n)
    squeezing, other = (report(Net(squeeze), x, y, 0.1, 1) for squeeze in (True, False))
    assert squeezing.sharpness.value == pytest.approx(other.sharpness.value, rel=1e-12)
    points = x.double()[: min(n, 6)]
    assert gradient_norm(Net(True), points).value == gradient_norm(Net(False), points).value
    squeezed, plain = (geometric_complexity(Net(squeeze), points) for squeeze in (True, False))
    assert squeezed.value == pytest.approx(plain.value, rel=1e-12)


# Foreign layouts


MASKED = np.ma.array([0.1, 1e6, 0.3, 0.7], mask=[False, True, False, False])
LAYOUTS: dict[str, Any] = {
    "masked": MASKED,
    "sparse": X[:, :1].to_sparse(),
    "nested": torch.nested.nested_tensor([X[:, 0]], layout=torch.jagged),
    "meta": torch.zeros(4, device="meta", dtype=torch.float64),
    "complex": X[:, 0].to(torch.complex128),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_foreign_layouts_are_refused_by_name(layout: str) -> None:
    weights, given = Weights([1.0, -1.0], [-0.4, -0.3], [0.5, 0.5], 0.1), LAYOUTS[layout]
    with pytest.raises((TypeError, ValueError), match=r"^x must "):
        report(weights, given, np.zeros(4), 0.1, 2)
    with pytest.raises((TypeError, ValueError), match=r"^y must "):
        report(weights, X[:, 0], given, 0.1, 2)
    with pytest.raises((TypeError, ValueError), match=r"^x must "):
        sharpness(weights, given)


def test_what_reads_the_same_is_the_same() -> None:
    x = X[:, 0].clone()
    lazy = torch.view_as_complex(torch.stack([x, -x], 1)).conj().imag  # equal to x, with the negative bit set
    weights = Weights([1.0, -1.0], [-0.4, -0.3], [0.5, 0.5], 0.1)
    right = report(weights, x, x**2, 0.1, 2).sharpness.value
    unmasked = np.ma.array(x.numpy(), mask=np.zeros(4, dtype=bool))
    for given in (lazy, unmasked, x.numpy()[::-1][::-1], x.numpy().astype(">f8"), x.tolist()):
        assert report(weights, given, x**2, 0.1, 2).sharpness.value == right


def test_complex_networks_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of complex modules
        network = TwoLayerReLU(2).to(torch.complex64)
    for measure in (lambda: sharpness(network, [0.0, 1.0]), lambda: total_variation(network, -1, 1)):
        with pytest.raises(TypeError, match=r"must have real weights, got torch.complex64"):
            measure()


# A loss by its right name


def test_mse_loss_is_torchs_own() -> None:
    torch.manual_seed(0)
    x, w, model = torch.randn(50, 4).double(), torch.randn(4, 3).double(), nn.Linear(4, 3).double()
    found, twice = (report(model, x, x @ w, 0.1, 50, loss) for loss in ("mse_loss", "mean"))
    ones = torch.cat([x, torch.ones(50, 1).double()], 1)
    true = 2 * float(torch.linalg.eigvalsh(ones.T @ ones / 50)[-1]) / 3
    assert found.gd_step_size == pytest.approx(2 / true, rel=1e-10)
    assert found.training_loss == pytest.approx(float(nn.MSELoss()(model(x), x @ w).detach()), rel=1e-12)
    assert found.gd_step_size == pytest.approx(3 * twice.gd_step_size, rel=1e-10)
    assert any("'mse_loss'" in note for note in twice.notes)
    assert not any("'mse_loss'" in note for note in found.notes)


def test_of_one_output_it_is_the_mean_square() -> None:
    weights, x = Weights([1.0, -1.0], [-0.4, -0.3], [0.5, 0.5], 0.1), X[:, 0]
    found, mean = (report(weights, x, x**2, 0.1, 2, loss) for loss in ("mse_loss", "mean"))
    assert (found.sharpness, found.gd_step_size, found.flattest) == (mean.sharpness, mean.gd_step_size, mean.flattest)
    assert [v.ruling for v in found.verdicts] == [v.ruling for v in mean.verdicts]
    assert sharpness(weights, x, loss="mse_loss") == sharpness(weights, x, loss="mean")


# A number does not contradict the verdict beside it


@pytest.mark.parametrize(("power", "what"), [(1, "a saddle"), (2, "a maximum")])
def test_no_step_size_is_stable_where_the_loss_falls_away(power: int, what: str) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            product = self.a * self.b if power == 1 else self.a**2 + self.b**2
            return product * x

    found = report(Flat(), [1.0, 2.0], [1.0, 2.0], 0.01, 1)
    assert (found.leaves, found.gd, found.sgd) == (what, "unstable", "unstable")
    assert (found.gd_step_size, found.sgd_step_sizes.lower, found.sgd_step_sizes.upper) == (0.0, 0.0, 0.0)
    text = str(found)
    assert text.count(f"no step size: {what}") == 2
    assert "step sizes up to" not in text


def test_weights_on_the_way_are_told_how_far_they_are_from_the_edge() -> None:
    weights, x = Weights([1.0, -1.0], [-0.4, -0.3], [0.5, 0.5], 0.1), X[:, 0]
    found = report(weights, x, x**2 + 3, 0.1, 2)
    top = found.hessian_top.value
    at_edge = report(weights, x, x**2 + 3, 2 / top, 2)
    assert (at_edge.gd, at_edge.position) == ("no minimum", "no critical point")
    assert at_edge.edge.value == pytest.approx(1.0, rel=1e-12)
    assert "at the edge of stability" in str(at_edge)
    assert "below the edge of stability" in str(report(weights, x, x**2 + 3, 0.5 / top, 2))
    assert "beyond the edge of stability" in str(report(weights, x, x**2 + 3, 3 / top, 2))
    assert f"up to {found.critical_gradient:.6g} would be" in str(found)


# Why a derivative is none


@pytest.mark.parametrize(
    ("function", "weights"),
    [
        (lambda w, x: (torch.sinc(w) * x).sum(1), [0.0, 0.4]),
        (lambda w, x: x.sum(1) * torch.linalg.norm(w), [0.0, 0.0]),
        (lambda w, x: (x * torch.where(w > 0, torch.sqrt(w), 0 * w)).sum(1), [1.0, 0.0]),
    ],
    ids=["sinc", "norm", "where"],
)
def test_nan_is_not_called_overflow(function: Callable[..., torch.Tensor], weights: list[float]) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.tensor(weights, dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return function(self.w, x)

    with pytest.raises(ValueError, match=r"^model must have finite derivatives, got nan"):
        report(Model(), X, torch.zeros(4), 0.1, 2)


def test_a_module_that_is_scripted_in_float32_says_what_to_do() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    right = report(net, X, torch.zeros(4), 0.1, 2).sharpness.value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of scripting
        single, double = torch.jit.script(net), torch.jit.script(copy.deepcopy(net).double())
        with pytest.raises(ValueError, match=r"^model must be scripted in float64"):
            report(single, X, torch.zeros(4), 0.1, 2)
        assert report(double, X, torch.zeros(4), 0.1, 2).sharpness.value == pytest.approx(right, rel=1e-12)

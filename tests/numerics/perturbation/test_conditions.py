import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError
from numerics.perturbation import Conditions, Undefined, conditions
from tests.numerics.capacity.networks import Residual, dense, drawn
from theory.checks import Array
from theory.neyshabur2017 import activation_constant, interaction_constant
from theory.neyshabur2017.perturbation_bounds import squared_peak_constant
from theory.relu_network import exact_layers


def matrices(model: nn.Module) -> list[Array]:
    return [layer.weight.detach().numpy() for layer in model.modules() if isinstance(layer, nn.Linear)]


def with_biases_as_weights(model: nn.Module) -> list[Array]:
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    found = [np.column_stack([layer.weight.detach().numpy(), layer.bias.detach().numpy()]) for layer in layers]
    return [*(np.vstack([w, np.eye(1, w.shape[1], w.shape[1] - 1)]) for w in found[:-1]), found[-1]]


def written_out(weights: list[Array], x: Array) -> dict[tuple[int, int, int], float]:
    """Return the ratio of C1 for each (a, c, b), every product made by itself; nan for 0/0."""
    factors, h = [x[:, None]], x
    for number, weight in enumerate(weights, 1):
        z = weight @ h
        on = np.diag((z > 0).astype(float)) if number < len(weights) else np.eye(len(z))
        factors.append(on @ weight)
        h = on @ z

    def norm(first: int, last: int) -> float:
        whole = factors[first]
        for factor in factors[first + 1 : last + 1]:
            whole = factor @ whole
        return float(np.sqrt((whole**2).sum()))

    ratios = {}
    for a in range(len(factors)):
        for b in range(a + 1, len(factors)):
            for c in range(a, b):
                right = norm(c + 1, b) * norm(a, c) / math.sqrt(len(factors[c]))
                ratios[a, c, b] = norm(a, b) / right if right else math.nan
    return ratios


def by_triple(found: Conditions, point: int = 0) -> dict[tuple[int, int, int], float]:
    return {(a, c, b): ratio for (a, c, b), ratio in zip(found.triples.tolist(), found.ratios[point], strict=True)}


WIDTHS = [(3, 2), (3, 4, 2), (4, 6, 5, 3), (5, 7, 6, 5, 8, 2), (1, 6, 1)]


@pytest.mark.parametrize("widths", WIDTHS, ids=lambda widths: f"{len(widths) - 1} layers of {max(widths)}")
def test_the_ratios_are_those_of_products_written_out(widths: tuple[int, ...]) -> None:
    model = drawn(lambda: dense(*widths, bias=False), 1)
    x = np.random.default_rng(0).standard_normal((3, widths[0]))
    found = conditions(model, x)
    d = len(widths) - 1
    assert len(found.triples) == (d + 2) * (d + 1) * d // 6
    for point, row in enumerate(x):
        expected = {triple: r for triple, r in written_out(matrices(model), row).items() if not math.isnan(r)}
        here = by_triple(found, point)
        assert {triple: ratio for triple, ratio in here.items() if ratio < math.inf} == pytest.approx(
            expected, rel=1e-9
        )


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_constants_are_those_of_exact_arithmetic(seed: int) -> None:
    model = drawn(lambda: dense(3, 5, 4, 2, bias=False), seed)
    x = np.random.default_rng(seed).standard_normal(3)
    found, weights = conditions(model, x[None], input_norm=None), matrices(model)
    assert isinstance(found.mu, float)
    assert min(1.0, found.mu) == pytest.approx(interaction_constant(weights, x), rel=1e-12)
    assert found.least_c2 == pytest.approx(activation_constant(weights, x), rel=1e-12)
    exact = squared_peak_constant(exact_layers("layers", weights), np.array([Fraction(value) for value in x]))
    assert found.c3 == pytest.approx(math.sqrt(exact), rel=1e-12)


def test_of_points_the_worst_counts() -> None:
    model = drawn(lambda: dense(3, 5, 4, 2, bias=False), 2)
    x = np.random.default_rng(2).standard_normal((4, 3))
    together, alone = conditions(model, x), [conditions(model, row[None]) for row in x]
    assert together.mu == min(one.mu for one in alone if isinstance(one.mu, float))
    assert together.mu_as_printed == min(one.mu_as_printed for one in alone if isinstance(one.mu_as_printed, float))
    assert together.c3 == max(one.c3 for one in alone)
    assert together.least_c2_of_points.tolist() == pytest.approx([one.least_c2 for one in alone])
    assert together.least_c2 == max(together.least_c2_of_points)
    assert together.c2(0.3) == max(one.c2(0.3) for one in alone)


def test_where_all_units_are_active_every_number_is_known() -> None:
    first, last = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([[3.0, 4.0]])
    model = dense(2, 2, 1, bias=False).double()
    model[0].weight.data = torch.from_numpy(first)
    model[2].weight.data = torch.from_numpy(last)
    found = conditions(model, np.array([[2.0, 0.0]]), input_norm=None)
    # f^1 = (2, 4), f = 22, ||W_1||^2 = 7, ||W_2|| = 5, W_2 W_1 = (11, 7)
    root = math.sqrt
    assert by_triple(found) == pytest.approx(
        {
            (0, 0, 1): root(2) * root(20) / (root(7) * 2),
            (0, 0, 2): root(2) * 22 / (root(170) * 2),
            (0, 1, 2): root(2) * 22 / (5 * root(20)),
            (1, 1, 2): root(2) * root(170) / (5 * root(7)),
        }
    )
    assert found.mu == pytest.approx(root(2) * 22 / (root(170) * 2))
    assert found.mu_as_printed == pytest.approx(root(2) * 22 / (5 * root(20)))
    assert [sizes.tolist() for sizes in found.sizes] == [[[2.0, 4.0]]]
    assert found.least_c2 == pytest.approx(0.25)  # 1/(2 x 2), 2/(2 x 4)
    assert found.small_share([1.0, 2.0, 3.9, 4.0, 9.0]).tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert found.c2([1.0, 2.0, 8.0]).tolist() == [0.0, 0.25, 0.125]
    assert found.peaks.tolist() == [pytest.approx([root(2) * root(5) / root(7), 1.0])]
    assert found.largest_unit_norm_ratio == pytest.approx(2 * root(5) / (root(2) + root(5)))
    assert found.output_norms.tolist() == pytest.approx([22.0])
    assert found.dead == ()


def test_c2_holds_for_each_delta_with_its_constant_and_for_all_with_the_least() -> None:
    model = drawn(lambda: dense(3, 9, 7, 2, bias=False), 5)
    found = conditions(model, np.random.default_rng(5).standard_normal((3, 3)))
    deltas = np.geomspace(1e-3, 10, 60)
    for level in found.sizes:
        for row in level:
            shares = [float(np.mean(row <= delta)) for delta in deltas]
            assert (shares <= found.c2(deltas) * deltas * (1 + 1e-12)).all()
    assert (found.c2(deltas) <= found.least_c2 * (1 + 1e-12)).all()
    smallest = min(float(level.min()) for level in found.sizes)
    assert found.least_c2 >= 1 / (9 * smallest) * (1 - 1e-12)


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_the_scale_of_the_input_is_that_of_c2_alone(norm: float) -> None:
    model = drawn(lambda: dense(3, 5, 4, 2, bias=False), 3)
    x = np.random.default_rng(3).standard_normal((2, 3))
    as_one, scaled = conditions(model, x), conditions(model, x, input_norm=norm)
    assert scaled.input_norms.tolist() == pytest.approx([norm, norm])
    assert scaled.ratios == pytest.approx(as_one.ratios, rel=1e-9)
    assert scaled.c3 == pytest.approx(as_one.c3)
    assert norm * scaled.least_c2 == pytest.approx(as_one.least_c2)
    assert conditions(model, x, input_norm=None).input_norms.tolist() == pytest.approx(np.linalg.norm(x, axis=1))


def test_biases_are_weights_of_a_unit_that_is_always_1() -> None:
    model = drawn(lambda: dense(3, 4, 5, 2), 4)
    x = np.random.default_rng(4).standard_normal(3)
    found = conditions(model, x[None], input_norm=None)
    assert found.widths == (4, 5, 6, 2)
    expected = written_out(with_biases_as_weights(model), np.append(x, 1.0))
    assert by_triple(found) == pytest.approx(expected, rel=1e-9)
    assert found.least_c2 == pytest.approx(activation_constant(with_biases_as_weights(model), np.append(x, 1.0)))


def test_layers_that_change_no_number_do_not_count() -> None:
    model = drawn(lambda: dense(4, 5, 2, bias=False), 0)
    around = nn.Sequential(nn.Flatten(), model[0], nn.Dropout(0.5), nn.Identity(), model[1], model[2]).eval()
    x = np.random.default_rng(0).standard_normal((2, 4))
    assert (conditions(around, x.reshape(2, 2, 2)).ratios == conditions(model, x).ratios).all()


def test_a_long_product_does_not_leave_the_range_of_floats() -> None:
    model = drawn(lambda: dense(2, *[3] * 30, 1, bias=False), 0)
    for parameter in model.parameters():
        parameter.data = parameter.abs() * 1e-8
    found = conditions(model, np.ones((1, 2)), input_norm=None)
    for parameter in model.parameters():
        parameter.data *= 1e8
    assert found.mu == pytest.approx(conditions(model, np.ones((1, 2))).mu, rel=1e-6)


def dead_network() -> nn.Sequential:
    """Return three layers, of which no unit of the second is active where the input is positive."""
    model = dense(1, 2, 2, 1, bias=False).double()
    for place, values in ((0, [[1.0], [2.0]]), (2, [[-1.0, -1.0], [-2.0, 0.0]]), (4, [[1.0, 1.0]])):
        model[place].weight.data = torch.tensor(values, dtype=torch.float64)
    return model


def test_where_no_unit_of_a_layer_is_active_it_is_named() -> None:
    found = conditions(dead_network(), np.array([[1.0]]))
    assert found.dead == ((0, 2),)
    assert found.c3 == math.inf
    # C1 asks something of the first product alone, |W_1 x| sqrt(h_0)/(||W_1|| |x|); the rest is 0 on both sides.
    asked = {triple: ratio for triple, ratio in by_triple(found).items() if ratio < math.inf}
    assert asked == pytest.approx({(0, 0, 1): 1.0})
    assert found.mu == pytest.approx(1.0)
    assert found.output_norms.tolist() == [0.0]


def test_where_c1_is_0_on_both_sides_everywhere_there_is_no_mu() -> None:
    model = dense(1, 2, 1, bias=False).double()
    for parameter in model.parameters():
        parameter.data.fill_(-1.0)
    found = conditions(model, np.array([[1.0]]))
    assert found.mu == Undefined("both sides of C1 are 0 for every triple: no unit is active")
    assert found.dead == ((0, 1),)


def test_outputs_that_cancel_leave_no_mu_above_0() -> None:
    model = dense(1, 2, 1, bias=False).double()
    model[0].weight.data.fill_(1.0)
    model[2].weight.data = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    assert conditions(model, np.array([[1.0]])).mu == 0.0


def test_a_unit_that_is_given_0_leaves_no_c2() -> None:
    model = dense(2, 2, 1, bias=False).double()
    model[0].weight.data = torch.eye(2, dtype=torch.float64)
    model[2].weight.data.fill_(1.0)
    found = conditions(model, np.array([[1.0, 0.0]]))
    assert found.least_c2 == math.inf
    assert found.c2([0.25]).tolist() == [2.0]


def test_a_network_of_one_layer_has_no_hidden_units() -> None:
    model = drawn(lambda: dense(2, 2, bias=False), 0)
    found = conditions(model, np.array([[1.0, 2.0]]))
    assert found.least_c2 == 0.0
    assert found.c2([1.0]).tolist() == [0.0]
    assert found.mu_as_printed == Undefined("a network of one layer has no triple with a < c")


X = np.ones((1, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)), "got Tanh '1' in the place of a ReLU"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1)), "got Linear '1' in the place of a ReLU"),
        (lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 1)), "got ReLU '0' in the place of a linear layer"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()), "and end in one, got one that ends in a ReLU"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)), "got LayerNorm '1' in the place of a ReLU"),
        (nn.Identity, "and end in one, got none"),
    ],
    ids=["tanh", "two linear layers", "ReLU first", "ReLU last", "layer norm", "no layer"],
)
def test_other_layers_are_named(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=f"^model must have linear layers with a ReLU between.*{message}$"):
        conditions(make().double().eval(), X)


def test_a_network_with_skips_is_refused() -> None:
    with pytest.raises(UnsupportedLayerError, match="got Conv2d 'first' in the place of a linear layer"):
        conditions(drawn(Residual, 0), np.ones((1, 1, 3, 3)))


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_layer_without_units_is_refused() -> None:
    with pytest.raises(
        ValueError, match="model must have units in every layer, got Linear '0' with weights \\(0, 4\\)"
    ):
        conditions(dense(4, 0, 1).double(), X)


def test_a_layer_that_is_used_twice_is_refused() -> None:
    layer = nn.Linear(4, 4).double()
    with pytest.raises(ValueError, match="model must use each parameter once, got those of Linear '0'"):
        conditions(nn.Sequential(layer, nn.ReLU(), layer), X)


@pytest.mark.parametrize(
    ("x", "settings", "message"),
    [
        (
            np.array([[1.0] * 4, [0.0] * 4]),
            {},
            "x must hold points other than 0 for them to be scaled to norm 1, got row 1",
        ),
        (X, {"input_norm": 0.0}, "input_norm must be finite and above 0, got 0.0"),
        (np.full((1, 4), np.nan), {}, "x must"),
        (np.ones((0, 4)), {}, "x must have shape"),
        (np.ones((1, 3)), {}, "model must be one that torch.fx can trace"),
    ],
    ids=["a point that is 0", "norm 0", "nan", "no point", "another shape"],
)
def test_bad_points_are_refused(x: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        conditions(drawn(lambda: dense(4, 3, 1), 0), x, **settings)


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf])
def test_a_delta_out_of_range_is_refused(delta: float) -> None:
    found = conditions(drawn(lambda: dense(4, 3, 1), 0), X)
    with pytest.raises(ValueError, match="delta must"):
        found.c2([1.0, delta])

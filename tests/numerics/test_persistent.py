import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from numerics import kernels, persistent
from numerics.kernels import StopRule, Watch, observe
from numerics.networks import initialise
from numerics.persistent import Persistent, train_persistent
from numerics.training import Member, Outcome, Run, train_many
from numerics.training.members import OUTCOMES
from theory.checks import Array
from theory.symbols import Loss, loss_scale
from theory.two_layer import Weights

triton = pytest.importorskip("triton")

ROOT = Path(persistent.__file__).parents[1]


class Case(NamedTuple):
    """Networks of one width, each on equally many points, and how they are trained."""

    members: Sequence[Member]
    patience: int = 12
    dwell: int = 5
    loss: Loss = "half_mean"
    precision: str = "float64"
    slice_steps: int = 100_000

    def arguments(self, device: str = "cpu") -> dict[str, Any]:
        """Return what `train_persistent` is to be called with."""
        dtype = getattr(torch, self.precision)

        def column(value: Callable[[Member], object], dtype: torch.dtype = dtype) -> torch.Tensor:
            return torch.tensor(np.array([value(member) for member in self.members]), dtype=dtype, device=device)

        weights = (column(lambda member: member.network.w1), column(lambda member: member.network.b1))
        return {
            "weights": torch.stack([*weights, column(lambda member: member.network.w2)]),
            "b2": column(lambda member: member.network.b2),
            "x": column(lambda member: member.x),
            "y": column(lambda member: member.y),
            "step_size": column(lambda member: member.step_size),
            "scale": loss_scale(self.loss),
            "max_steps": column(lambda member: member.max_steps, torch.int64),
            "stop_loss": column(lambda member: member.stop_loss),
            "patience": self.patience,
            "dwell": self.dwell,
            "slice_steps": self.slice_steps,
        }

    def reference(self) -> list[Run]:
        """Return the runs in float64 by plain numpy."""
        rule = {name: getattr(self, name) for name in ("patience", "dwell")}
        return train_many(self.members, loss=self.loss, backend="numpy", **rule)


def points(n: int, shift: float = 0.0) -> tuple[Array, Array]:
    x = np.linspace(-1, 1, n) + shift
    return x, np.sin(4 * x) + 0.3


def mixed(n: int, width: int, stop_loss: float) -> list[Member]:
    """Return networks that end in every way, on different data with different step sizes, budgets and stop losses."""
    ends: list[dict[str, Any]] = [
        {"step_size": 0.05},
        {"step_size": 0.1, "stop_loss": stop_loss},
        {"step_size": 1e-6},
        {"step_size": 20.0},
        {"step_size": 0.02, "max_steps": 9},
        {"step_size": 1.2},
    ]
    common = {"max_steps": 40, "stop_loss": 0.0}
    return [
        Member(initialise(width, seed=seed), *points(n, 0.1 * seed), **(common | end)) for seed, end in enumerate(ends)
    ]


def lone(w1: float, b1: float, w2: float, x: float, y: float, step_size: float) -> Member:
    return Member(Weights(np.array([w1]), np.array([b1]), np.array([w2]), 0.0), [x], [y], step_size, 40, 1e-9)


DIVERGING = 3  # of `mixed`
CASES = {
    "odd": Case(mixed(5, 12, 0.25)),
    "even": Case(mixed(6, 8, 0.45), loss="mean", dwell=0),
    "single": Case([Member(initialise(1, seed=seed), [0.5], [0.2], 0.1, 10, 0.0) for seed in range(3)]),
    "extremes": Case(
        [
            lone(1e200, 0.0, 0.0, 1e150, 0.0, 0.1),  # inf times 0 is a loss of nan
            lone(1e200, 0.0, 1.0, 1e150, 0.0, 0.1),  # the loss is infinite
            lone(1e-10, 0.9, 1e150, 1e10, 0.0, 1.0),  # the first step would make w1 infinite
            lone(1e-10, 1.0, 1e150, 1e-10, 0.0, 1e10),  # b1
            lone(1e150, 1.0, 1.0, 1.0, 0.0, 1e10),  # w2
            lone(1.0, -2.0, 1.0, 1.0, 1e150, 1e200),  # b2
            lone(-1e200, 0.0, 1.0, 1e150, 0.5, 0.1),  # the pre-activation is -inf: inactive
            lone(1.0, -1.0, 1.0, 1.0, 0.5, 0.1),  # the pre-activation is 0: inactive
            lone(1.0, 0.5, 1.0, 1.0, 1.5, 0.1),  # the loss is 0
        ],
    ),
}
CASES |= {
    "odd, sliced": CASES["odd"]._replace(slice_steps=7),
    "odd, siblings": CASES["odd"]._replace(members=np.delete(np.array(CASES["odd"].members), DIVERGING).tolist()),
    "odd, single": CASES["odd"]._replace(precision="float32"),
    "even, single": CASES["even"]._replace(precision="float32"),
}

RUNS, LOOKS = 256, 24
RULES = [(20, 0.01, 6, 3), (10, 0.3, 4, 0), (50, 0.0, 1, 2), (50, 1.0, 20, 8)]

# Triton decides when it decorates a function whether it compiles or interprets, so the kernel runs in another process.
WORKER = """
import sys

import torch
import triton
import triton.language as tl

from numerics.kernels import BUDGET_SPENT, DIVERGED, INTERPOLATED, RUNNING, STALLED
from numerics.persistent import _observe, train_persistent


@triton.jit
def look(losses, codes, looks, max_steps, stop_loss, patience, dwell, RUNS: tl.constexpr, RUNNING: tl.constexpr,
         INTERPOLATED: tl.constexpr, STALLED: tl.constexpr, DIVERGED: tl.constexpr, BUDGET_SPENT: tl.constexpr):
    runs = tl.arange(0, RUNS)
    step = tl.full((), 0, tl.int64)
    limit = tl.full((RUNS,), 0.0, tl.float64)
    best = limit
    best_step = tl.full((RUNS,), 0, tl.int64)
    below_since = best_step - 1
    for _ in range(looks):
        loss = tl.load(losses + step * RUNS + runs)
        code, limit, best, best_step, below_since = _observe(
            step, loss, limit, best, best_step, below_since, max_steps, tl.load(stop_loss), patience, dwell,
            RUNNING, INTERPOLATED, STALLED, DIVERGED, BUDGET_SPENT)
        tl.store(codes + step * RUNS + runs, code)
        step += 1


cases, losses, rules = torch.load(sys.argv[1])
results = {}
for name, arguments in cases.items():
    given = {key: value.clone() for key, value in arguments.items() if isinstance(value, torch.Tensor)}
    run = train_persistent(**arguments)
    assert all(torch.equal(arguments[key], value) for key, value in given.items()), "the arguments were changed"
    results[name] = [run.weights, run.b2, run.loss, run.steps, run.code]
codes = []
for max_steps, stop_loss, patience, dwell in rules:
    codes.append(torch.full(losses.shape, -1))
    look[(1,)](losses, codes[-1], len(losses), max_steps, torch.tensor([stop_loss], dtype=losses.dtype), patience,
               dwell, losses.shape[1], RUNNING, INTERPOLATED, STALLED, DIVERGED, BUDGET_SPENT)
torch.save((results, codes), sys.argv[2])
"""


def loss_histories() -> Array:
    """Return losses [LOOKS, RUNS] that pass what the rule asks about in all orders: falling, level, infinite, nan."""
    generator = np.random.default_rng(0)
    special = [0.0, 0.5, 0.4996, 0.01, 0.009, 2.0, 1e9, 2e10, math.inf, math.nan]
    often = [0.1] * 8 + [0.01, 0.01]
    drawn = generator.choice(special, (LOOKS, RUNS), p=np.array(often) / sum(often))
    level = generator.random(RUNS) < 0.5  # of the runs, half stay where they are most of the time
    stays = (generator.random((LOOKS, RUNS)) < 0.9) & level
    for step in range(1, LOOKS):
        drawn[step] = np.where(stays[step], drawn[step - 1], drawn[step])
    return np.asarray(drawn, dtype=np.float64)


class Interpreted(NamedTuple):
    """What the interpreted kernel made of `CASES`, and the interpreted rule of `loss_histories` under each of `RULES`."""

    runs: dict[str, Persistent]
    codes: list[torch.Tensor]


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> Interpreted:
    folder = tmp_path_factory.mktemp("persistent")
    worker, given, got = folder / "worker.py", folder / "given.pt", folder / "got.pt"
    worker.write_text(WORKER)  # a file, since triton reads the source of a kernel
    cases = {name: case.arguments() for name, case in CASES.items()}
    cases["none"] = cases["odd"] | {"weights": torch.zeros(3, 0, 12), "b2": torch.zeros(0)}
    torch.save((cases, torch.tensor(loss_histories()), RULES), given)
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", str(worker), str(given), str(got)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    runs, codes = torch.load(got)
    return Interpreted({name: Persistent(*tensors) for name, tensors in runs.items()}, codes)


def assert_agrees(run: Persistent, expected: Sequence[Run], tolerance: float) -> None:
    """Assert that every network ends where and as in `expected`: weights and losses within a tolerance for sizes of 1."""
    assert [OUTCOMES[code] for code in run.code.tolist()] == [one.outcome for one in expected]
    assert run.steps.tolist() == [one.steps for one in expected]
    for place, one in enumerate(expected):
        for got, wanted in zip(run.weights[:, place], (one.weights.w1, one.weights.b1, one.weights.w2), strict=True):
            np.testing.assert_allclose(got.cpu().numpy(), wanted, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(float(run.b2[place]), float(one.weights.b2), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(float(run.loss[place]), one.loss, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["odd", "even"])
def test_networks_end_in_every_way_as_in_numpy(name: str, interpreted: Interpreted) -> None:
    expected = CASES[name].reference()
    assert [run.outcome for run in expected] == [
        Outcome.BUDGET_SPENT,
        Outcome.INTERPOLATED,
        Outcome.STALLED,
        Outcome.DIVERGED,
        Outcome.BUDGET_SPENT,
        Outcome.STALLED,
    ]
    assert expected[5].steps > CASES[name].patience  # it made progress before
    assert min(run.steps for run in expected) > 1
    assert_agrees(interpreted.runs[name], expected, 1e-12)


@pytest.mark.parametrize("name", ["odd, single", "even, single"])
def test_float32_agrees_with_float64(name: str, interpreted: Interpreted) -> None:
    run = interpreted.runs[name]
    assert run.weights.dtype == run.b2.dtype == run.loss.dtype == torch.float32
    assert_agrees(run, CASES[name].reference(), 1e-5)


def test_one_unit_on_one_point(interpreted: Interpreted) -> None:
    assert_agrees(interpreted.runs["single"], CASES["single"].reference(), 1e-14)


def test_overflow_and_kinks(interpreted: Interpreted) -> None:
    run, expected = interpreted.runs["extremes"], CASES["extremes"].reference()
    assert_agrees(run, expected, 1e-14)
    assert [OUTCOMES[code] for code in run.code.tolist()] == [
        *[Outcome.DIVERGED] * 6,
        Outcome.BUDGET_SPENT,
        Outcome.BUDGET_SPENT,
        Outcome.INTERPOLATED,
    ]
    assert math.isnan(run.loss[0])
    assert run.loss[1] == math.inf
    assert run.loss[2:].isfinite().all()
    given = CASES["extremes"].arguments()
    assert torch.equal(run.weights[:, :8], given["weights"][:, :8])  # no step was taken, or none that moves a unit
    assert torch.equal(run.b2[:6], given["b2"][:6])
    assert run.steps.tolist() == [0] * 6 + [40, 40, CASES["extremes"].dwell]


def test_slices_change_nothing(interpreted: Interpreted) -> None:
    for name in ("weights", "b2", "loss", "steps", "code"):
        sliced, whole = (getattr(interpreted.runs[case], name) for case in ("odd, sliced", "odd"))
        assert torch.equal(sliced, whole)


def test_a_diverging_network_leaves_its_siblings_alone(interpreted: Interpreted) -> None:
    together, alone = interpreted.runs["odd"], interpreted.runs["odd, siblings"]
    assert together.code[DIVERGING] == kernels.DIVERGED
    others = np.delete(np.arange(len(together.code)), DIVERGING)
    assert torch.equal(together.weights[:, others], alone.weights)
    for name in ("b2", "loss", "steps", "code"):
        assert torch.equal(getattr(together, name)[others], getattr(alone, name))


def test_no_networks_give_no_results(interpreted: Interpreted) -> None:
    run = interpreted.runs["none"]
    assert [len(tensor) for tensor in (run.b2, run.loss, run.steps, run.code)] == [0, 0, 0, 0]


@pytest.mark.parametrize("which", range(len(RULES)))
def test_stop_rule_is_the_one_of_the_kernels(which: int, interpreted: Interpreted) -> None:
    rule, histories = StopRule(*RULES[which]), loss_histories()
    expected = np.full(histories.shape, -1)
    for run in range(RUNS):
        watch = Watch()
        for step in range(LOOKS):
            expected[step, run], watch = observe(rule, watch, step, float(histories[step, run]))
    np.testing.assert_array_equal(interpreted.codes[which].numpy(), expected)
    reachable = {kernels.RUNNING, kernels.STALLED, kernels.DIVERGED}
    reachable |= {kernels.INTERPOLATED} if rule.stop_loss > 0 else set()
    reachable |= {kernels.BUDGET_SPENT} if rule.max_steps < LOOKS else set()
    assert set(expected.ravel().tolist()) == reachable


@pytest.mark.skipif(persistent.INTERPRETED, reason="TRITON_INTERPRET is set")
def test_cpu_without_the_interpreter_is_refused() -> None:
    with pytest.raises(ValueError, match="runs on a GPU") as raised:
        train_persistent(**CASES["odd"].arguments())
    assert str(raised.value) == (
        "the persistent kernel runs on a GPU, got tensors on the CPU; to have Triton interpret it there, set the "
        "environment variable TRITON_INTERPRET=1 before numerics.persistent is imported"
    )


WITHOUT = """
import sys
sys.modules["triton"] = None
import torch
from numerics.persistent import HAS_TRITON, INTERPRETED, train_persistent
print(HAS_TRITON, INTERPRETED)
row = torch.zeros(1)
try:
    train_persistent(torch.zeros(3, 1, 2), row, torch.zeros(1, 4), torch.zeros(1, 4), row, scale=1,
                     max_steps=torch.ones(1, dtype=torch.int64), stop_loss=row, patience=1, dwell=0)
except ValueError as error:
    print(error)
"""


def test_without_triton_the_module_imports_and_says_what_it_lacks() -> None:
    command = [sys.executable, "-c", WITHOUT]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False False", "the persistent kernel needs triton, which is not installed"]


@pytest.mark.skipif(persistent.INTERPRETED, reason="TRITON_INTERPRET is set")
@pytest.mark.parametrize("floats", ["fp32", "fp64"])
def test_compiles_for_a_gpu_that_is_not_there_and_stays_in_registers(
    floats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    pytest.importorskip("triton", minversion="3.3")  # which takes signatures of this form
    if not (tools / "ptxas").exists() or not (tools / "cuobjdump").exists():
        pytest.skip("triton comes without its assembler")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    integers = {"rows", "steps_allowed", "steps", "codes", "best_steps", "below_sinces"}
    numbers = {"width", "points", "patience", "dwell", "slice_steps"}
    units = 256 if floats == "fp32" else 128
    signature, constants = {}, {"UNITS": units}
    for name in persistent._descend.arg_names:
        if name.isupper():
            signature[name] = "constexpr"
            constants.setdefault(name, getattr(kernels, name, units))
        else:
            signature[name] = "*i64" if name in integers else "i32" if name in numbers else f"*{floats}"
    compiled = triton.compile(
        triton.compiler.ASTSource(persistent._descend, signature, constants),
        target=triton.backends.compiler.GPUTarget("cuda", 90, 32),
        options={"num_warps": 1, "num_stages": 1},
    )
    assert compiled.metadata.shared == 0  # nothing moves between the lanes but by shuffles
    cubin = tmp_path / "kernel.cubin"
    cubin.write_bytes(compiled.asm["cubin"])
    command = [str(tools / "cuobjdump"), "-res-usage", str(cubin)]
    usage = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = {name: int(value) for name, value in re.findall(r"(REG|STACK):(\d+)", usage)}
    record_property(f"registers a thread for {units} units in {floats}", used["REG"])
    assert used["STACK"] <= 32  # bytes: no weights are spilled there


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 3e-5)])
@pytest.mark.parametrize("width", [12, 100, 256, 1000])  # of 1000, two or four warps take care
@pytest.mark.parametrize("n", [6, 7])
def test_cuda_follows_the_cpu(n: int, width: int, precision: str, tolerance: float) -> None:
    step_size = min(0.02, 2 / width)
    members = [Member(initialise(width, seed=seed), *points(n, 0.01 * seed), step_size, 300, 0.0) for seed in range(50)]
    case = Case(members, patience=1000, precision=precision, slice_steps=70)
    assert_agrees(train_persistent(**case.arguments("cuda")), case.reference(), tolerance)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["odd", "even", "extremes", "odd, sliced", "odd, single", "even, single"])
def test_cuda_ends_networks_in_every_way(name: str) -> None:
    case = CASES[name]
    tolerance = 1e-12 if case.precision == "float64" else 1e-5
    assert_agrees(train_persistent(**case.arguments("cuda")), case.reference(), tolerance)

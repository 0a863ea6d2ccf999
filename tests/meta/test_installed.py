"""A wheel beside a user's own code: his folders stay his, ours run from his folder, and no class is there twice.

One wheel is built and installed into an environment of its own. That sees the libraries of the environment of the tests,
but not this library in it: a path in a .pth file is searched, the .pth files there are not read.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import theory.beyond
import theory.dherin2022
import theory.mulayoff2021
import theory.neyshabur2017
import theory.volhejn2020
import theory.walker2023
from experiments.__main__ import STUDIES
from implicit_smoothness import __all__ as exported
from implicit_smoothness.__main__ import PROGRAMS, main
from implicit_smoothness.__main__ import STUDIES as NAMES
from setup import under_package
from theory.extras import MissingExtraError, need

ROOT = Path(__file__).parents[2]
ROOMS = ("theory", "numerics", "experiments", "proofs_check")
LIBRARIES = Path(sysconfig.get_path("purelib"))
BARE = ("numpy", "numpy.libs", "sympy", "mpmath")
"""What lies in the folder of the libraries that a bare installation brings."""

SWEEP = ["--preset", "smoke", "--data-sets", "parabola", "--seeds", "1", "--step-sizes", "2", "--max-steps", "50"]
"""The smallest sweep."""


def test_every_study_has_its_name() -> None:
    assert set(NAMES) == {"sweep", *(study.id for study in STUDIES)}
    assert all(name == "sweep" or module == f"experiments.{name}" for name, module in NAMES.items())
    assert not set(NAMES) & set(PROGRAMS)


def test_a_name_that_is_none_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sgd_treshold", "--preset", "smoke"]) == 2
    assert "'sgd_treshold'; the nearest is sgd_threshold," in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_names_every_program(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert [name for name in (*PROGRAMS, *NAMES) if name not in printed] == []


def test_a_program_says_how_it_was_run(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (*PROGRAMS, "sweep"):
        with pytest.raises(SystemExit) if name != "studies" else contextlib.nullcontext():
            main([name, "--help"] if name != "studies" else [name])
        assert f"implicit-smoothness {'NAME' if name == 'studies' else name}" in capsys.readouterr().out


def test_the_list_of_studies_takes_no_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studies", "sweep"]) == 2
    assert capsys.readouterr().err == "error: the list of studies takes no options, got sweep\n"


def test_what_the_papers_export_is_exported() -> None:
    papers = (
        theory.beyond,
        theory.dherin2022,
        theory.mulayoff2021,
        theory.neyshabur2017,
        theory.volhejn2020,
        theory.walker2023,
    )
    assert {name for paper in papers for name in paper.__all__} <= set(exported)


def test_in_a_clone_the_long_name_is_another_of_the_same_module() -> None:
    code = (
        "import implicit_smoothness.theory.mulayoff2021.smooth as long, theory.mulayoff2021.smooth as short\n"
        "import implicit_smoothness, theory, implicit_smoothness.theory as again\n"
        "assert long is short and again is theory and long.__spec__.name == 'theory.mulayoff2021.smooth'\n"
        "import implicit_smoothness.numerics, numerics\n"
        "assert implicit_smoothness.numerics is numerics\n"
        "import implicit_smoothness.theory.none_such\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stderr.endswith("No module named 'implicit_smoothness.theory.none_such'\n")


def test_what_is_missing_is_said_with_the_command() -> None:
    need("numerics", "numerics", ("numpy",))
    with pytest.raises(
        MissingExtraError, match=r"^numerics needs no_such, which is not installed: pip install '.*\[x\]'$"
    ):
        need("numerics", "x", ("numpy", "no_such"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from theory.claim import Claim\n", "from implicit_smoothness.theory.claim import Claim\n"),
        (
            "if x:\n    from theory import a  # of theory\n",
            "if x:\n    from implicit_smoothness.theory import a  # of theory\n",
        ),
        ("from theory import (\n    a,\n)\n", "from implicit_smoothness.theory import (\n    a,\n)\n"),
        ("import theory_of\nfrom theories import a\n", "import theory_of\nfrom theories import a\n"),
        ('"""\nfrom theory.claim import Claim\n"""\n', '"""\nfrom theory.claim import Claim\n"""\n'),
    ],
)
def test_a_wheel_imports_from_its_own_folder(source: str, expected: str) -> None:
    assert under_package(source, ROOMS) == expected


@pytest.mark.parametrize("source", ["import theory.claim\n", "import theory as t\n", "from  theory import a\n"])
def test_an_import_that_cannot_be_rewritten_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="line 1: "):
        under_package(source, ROOMS)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what a distribution is built from: a build writes beside it."""
    copy = tmp_path_factory.mktemp("source") / "clone"
    copy.mkdir()
    for name in ("pyproject.toml", "setup.py", "implicit_smoothness_names.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in (*ROOMS, "implicit_smoothness"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def built(source: Path, kind: str, out: Path) -> Path:
    """Return the wheel or the sdist that setuptools builds of a folder."""
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(out)!r}))"
    out.mkdir(exist_ok=True)
    run = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True)
    return out / run.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(source, "wheel", tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True, capture_output=True)
    [site] = folder.glob("lib/*/site-packages")
    (site / "libraries.pth").write_text(f"{LIBRARIES}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bare(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same environment with numpy and sympy alone."""
    libraries = tmp_path_factory.mktemp("libraries")
    for name in BARE:
        if (LIBRARIES / name).exists():
            (libraries / name).symlink_to(LIBRARIES / name)
    folder = tmp_path_factory.mktemp("bare") / "environment"
    shutil.copytree(environment, folder, symlinks=True)
    [listed] = folder.glob("lib/*/site-packages/libraries.pth")
    listed.write_text(f"{libraries}\n", encoding="utf-8")
    return folder


def user_folder(folder: Path, *, init: bool) -> Path:
    """Return a folder with an experiments/, a numerics/ and a theory.py of the user's own."""
    for name in ("experiments", "numerics"):
        (folder / name).mkdir(parents=True)
        if init:
            (folder / name / "__init__.py").write_text("", encoding="utf-8")
    (folder / "experiments" / "train.py").write_text("def train():\n    return 'his training'\n", encoding="utf-8")
    (folder / "numerics" / "mine.py").write_text("VALUE = 3\n", encoding="utf-8")
    (folder / "theory.py").write_text(
        "def model():\n"
        "    import torch\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))\n",
        encoding="utf-8",
    )
    (folder / "data.csv").write_text("t,v\n0,1\n1,2\n2,2.5\n", encoding="utf-8")
    return folder


@pytest.fixture(params=[False, True], ids=["without __init__", "with __init__"])
def user(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return user_folder(tmp_path, init=request.param)


def run(environment: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of an environment in a folder; no variable tells Python of another place, and Coq is not found.

    Loops are not compiled: that takes longer than the few steps that are done here.
    """
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ours = {"PATH": str(environment / "bin"), "NUMBA_DISABLE_JIT": "1"}
    command = [str(environment / "bin" / words[0]), *words[1:]]
    return subprocess.run(command, cwd=cwd, env=outside | ours, capture_output=True, text=True)


def said(environment: Path, cwd: Path, code: str, *words: str) -> str:
    """Return what a Python in an environment prints, given the words after the code."""
    result = run(environment, cwd, "python", "-c", code, *words)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.slow
def test_his_folders_are_his_with_ours_in_the_same_process(environment: Path, tmp_path: Path) -> None:
    # Ours take seconds to import, so both folders are tried in one process, which forgets what it found in the first.
    code = (
        "import implicit_smoothness, implicit_smoothness.numerics.networks, implicit_smoothness.experiments.kit.measures\n"
        "import importlib, os, sys\n"
        "for folder in sys.argv[1:]:\n"
        "    os.chdir(folder)\n"
        "    importlib.invalidate_caches()\n"
        "    import experiments.train, numerics.mine, theory\n"
        "    from implicit_smoothness.theory.mulayoff2021 import curvature_bound\n"
        "    print(experiments.train.train(), numerics.mine.VALUE, theory.__file__, curvature_bound(0.25))\n"
        "    his = [name for name in sys.modules if name.split('.')[0] in ('experiments', 'numerics', 'theory')]\n"
        "    print(*sorted(his))\n"
        "    for name in his:\n"
        "        del sys.modules[name]\n"
    )
    users = [user_folder(tmp_path / name, init=name == "with") for name in ("without", "with")]
    assert said(environment, tmp_path, code, *map(str, users)).splitlines() == [
        line
        for user in users
        for line in (
            f"his training 3 {user / 'theory.py'} 3.5",
            "experiments experiments.train numerics numerics.mine theory",
        )
    ]


@pytest.mark.slow
def test_ours_is_not_found_below_his_folder(environment: Path, user: Path) -> None:
    result = run(environment, user, "python", "-c", "import experiments.stability_sweep")
    assert result.returncode == 1
    assert "No module named 'experiments.stability_sweep'" in result.stderr


@pytest.mark.slow
def test_the_programs_run_from_his_folder(environment: Path, tmp_path: Path) -> None:
    # What the console script does, several times in one process; the next test runs the script itself. The process that
    # computes the sweep's tasks is started as from any script.
    user = user_folder(tmp_path, init=True)
    script = (
        "from implicit_smoothness.__main__ import main\n"
        "from implicit_smoothness.experiments.stability_sweep import STUDY\n"
        "if __name__ == '__main__':\n"
        "    task = next(iter(STUDY.tasks(STUDY.presets['smoke']).values()))\n"
        "    assert task.func.__module__.startswith('implicit_smoothness.experiments.'), task\n"
        "    print(main(['studies']))\n"
        f"    print(main({['sweep', *SWEEP, '--workers', '1']}))\n"
        f"    print(main({['ledger', 'V10', 'V12', '--budget', '5', '--jobs', '1']}))\n"
    )
    (user / "script.py").write_text(script, encoding="utf-8")
    result = run(environment, user, "python", "script.py")
    assert result.returncode == 0, result.stderr
    assert "Run one with implicit-smoothness NAME" in result.stdout
    assert (user / "runs" / "stability_sweep" / "smoke" / "rows.parquet").is_file(), result.stderr
    assert "2 claims: " in result.stdout
    assert [line for line in result.stdout.splitlines() if line.isdigit()] == ["0"] * 3, result.stdout + result.stderr


@pytest.mark.slow
def test_the_report_takes_a_model_of_his(environment: Path, tmp_path: Path) -> None:
    user = user_folder(tmp_path, init=True)
    words = ["--factory", "theory:model", "--data", "data.csv", "--x", "t", "--y", "v", "--step-size", "0.1"]
    result = run(environment, user, "implicit-smoothness", "report", *words)
    assert result.stdout.startswith("Sequential: 10 parameters, 3 points"), result.stderr


@pytest.mark.slow
def test_both_names_are_one_module_where_he_has_none(environment: Path, tmp_path: Path) -> None:
    code = (
        "import pickle, sys\n"
        "import theory.claim, theory.registry\n"
        "from theory.mulayoff2021 import curvature_bound\n"
        "import implicit_smoothness as ours, implicit_smoothness.theory.claim as claim\n"
        "assert claim.Claim is theory.claim.Claim is ours.Claim and curvature_bound is ours.curvature_bound\n"
        "assert theory.claim.__spec__.name == theory.claim.__name__ == 'implicit_smoothness.theory.claim'\n"
        "again = pickle.loads(pickle.dumps(ours.AssumptionError('M6', 'a', 1)))\n"
        "assert type(again) is theory.claim.AssumptionError\n"
        "verdict = ours.CLAIMS['B1'].evaluate(ours.CLAIMS['B1'].witness)\n"
        "assert pickle.loads(pickle.dumps(verdict)) == verdict\n"
        # Pickled in a clone, where the class has its short name:
        "short = pickle.dumps(again, 0).replace(b'implicit_smoothness.theory', b'theory')\n"
        "assert type(pickle.loads(short)) is ours.AssumptionError\n"
        "modules = [m for n, m in sys.modules.items() if 'theory' in n.split('.') and hasattr(m, '__file__')]\n"
        "assert len({m.__file__ for m in modules}) == len({id(m) for m in modules})\n"
        "print(ours.__version__, ours.__file__)\n"
    )
    version, file = said(environment, tmp_path, code).split()
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert Path(file).is_relative_to(environment)


@pytest.mark.slow
def test_the_short_names_run_where_he_has_none(environment: Path, tmp_path: Path) -> None:
    # As `python -m` does, both in one process; a bare installation is asked by `python -m` itself, below.
    code = (
        "import contextlib, runpy, sys\n"
        "for module in sys.argv[1:]:\n"
        "    sys.argv = ['', '--help']\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        runpy.run_module(module, run_name='__main__', alter_sys=True)\n"
    )
    modules = ("experiments.weight_function", "implicit_smoothness.proofs_check")
    usages = [line for line in said(environment, tmp_path, code, *modules).splitlines() if line.startswith("usage: ")]
    assert len(usages) == len(modules)
    assert all(usage.startswith("usage: python -m ") for usage in usages), usages


@pytest.mark.slow
def test_a_bare_installation_has_the_bounds_and_says_what_the_rest_needs(bare: Path, tmp_path: Path) -> None:
    assert said(bare, tmp_path, "import implicit_smoothness as s; print(s.curvature_bound(0.25))") == "3.5"
    for name, extra in {"sweep": "studies", "report": "studies", "ledger": "proofs"}.items():
        result = run(bare, tmp_path, "python", "-m", "implicit_smoothness", name)  # the script names the other Python
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("error: ")
        assert result.stderr.endswith(f"which are not installed: pip install 'implicit-smoothness[{extra}]'\n")
    for module, extra in {"experiments.stability_sweep": "studies", "proofs_check": "proofs"}.items():
        result = run(bare, tmp_path, "python", "-m", module)
        assert result.stderr.count("\n") == 1
        assert f"pip install 'implicit-smoothness[{extra}]'" in result.stderr
    result = run(bare, tmp_path, "python", "-c", "import numerics.networks")
    assert result.stderr.splitlines()[-1].endswith(
        "numerics needs lazy_loader, scipy, torch, which are not installed: pip install 'implicit-smoothness[numerics]'"
    )


@pytest.mark.slow
def test_starting_python_loads_little_more(environment: Path, tmp_path: Path) -> None:
    code = "import sys; print(' '.join(sorted(sys.modules)))"
    before = said(environment, tmp_path, code.replace("import sys;", "import sys, os;")).split()
    assert "implicit_smoothness_names" in before
    assert not {"typing", "importlib.util", "implicit_smoothness", "numpy"} & set(before)


@pytest.mark.slow
def test_an_sdist_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    archive = built(source, "sdist", tmp_path / "sdist")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    [folder] = (tmp_path / "unpacked").iterdir()
    again = built(folder, "wheel", tmp_path / "again")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {file.filename: file.CRC for file in first.infolist()} == {
            file.filename: file.CRC for file in second.infolist()
        }


@pytest.mark.slow
def test_a_wheel_holds_one_folder_and_all_that_lies_in_ours(source: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        [metadata] = [name for name in archive.namelist() if name.endswith("METADATA")]
        assert Parser().parsestr(archive.read(metadata).decode())["Name"] == "implicit-smoothness"
    tops = {name.split("/")[0] for name in names}
    assert tops == {"implicit_smoothness", "implicit_smoothness_names.py", "implicit_smoothness_names.pth"}
    there = {
        f"implicit_smoothness/{file.relative_to(source).as_posix()}"
        for room in ROOMS
        for file in (source / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert there - set(names) == set()

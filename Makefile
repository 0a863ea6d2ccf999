# Everything runs in .venv, which is made when it is first needed and updated when pyproject.toml or constraints.txt
# changes. Needed beforehand: make and Python 3.11 or newer. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
JOBS ?= 2
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
# What is imported is compiled then: compiling all of torch and sympy beforehand took half of the time.
INSTALL := $(RUN) -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
PINNED := pyproject.toml constraints.txt
APT := env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20

# Hundreds of processes import the same modules: whatever is set outside, they are compiled once.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help sweep test ledger coq prove lint types bench clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

sweep: $(VENV)/studies.stamp ## make the environment and run the main study; options: make sweep ARGS="--help"
	@echo "== sweep: python -m experiments.stability_sweep $(ARGS)"
	@$(RUN) -m experiments.stability_sweep $(ARGS)

test: lint types ledger ## make the environment; run linter, type checker, ledger and tests (JOBS=2 at a time)
	@echo "== tests: pytest, $(JOBS) processes"
	@$(RUN) -m pytest -n $(JOBS) --dist worksteal

ledger: $(VENV)/dev.stamp ## say of every claim whether it holds; fail if one is worse off than recorded
	@echo "== ledger: python -m proofs_check $(ARGS)"
	@$(RUN) -m proofs_check --jobs $(JOBS) $(ARGS)

prove: coq $(VENV)/dev.stamp ## have Coq check its theorems, and list the axioms that each rests on
	@echo "== prove: python -m proofs_check.machine_checked"
	@$(RUN) -m proofs_check.machine_checked --jobs $(JOBS)

coq: ## install Coq by apt where it is not there, or say how
	@command -v coqc >/dev/null 2>&1 || { \
	    as=; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	    if command -v apt-get >/dev/null 2>&1 && $$as true 2>/dev/null; then \
	        echo "== coq: $$as apt-get install coq"; \
	        $$as $(APT) install -y --no-install-recommends coq || { \
	            $$as $(APT) update && $$as $(APT) install -y --no-install-recommends coq; }; \
	    fi; \
	    command -v coqc >/dev/null 2>&1; } || { \
	    echo "error: Coq is not here and could not be installed. Debian and Ubuntu: apt-get install coq; macOS:" \
	        "brew install coq; elsewhere: https://coq.inria.fr/download" >&2; exit 1; }

lint: $(VENV)/dev.stamp ## run the linter and check the formatting
	@echo "== lint: ruff check, ruff format --check"
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(VENV)/dev.stamp ## run the type checker
	@echo "== types: mypy --strict"
	@$(RUN) -m mypy --strict

bench: $(VENV)/dev.stamp ## run the benchmarks, one at a time
	@echo "== benchmarks: pytest-benchmark"
	@$(RUN) -m pytest benchmarks --benchmark-enable --benchmark-only $(ARGS)

clean: ## remove the environment, caches and build products; results stay
	@echo "== clean: removing $(VENV), caches and build products"
	@rm -rf $(VENV) build dist *.egg-info .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN):
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	    echo "error: $(PYTHON) not found; name a Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1), Python 3.11 or newer is needed; name one:" \
	        "make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "== environment: making $(VENV) with $$($(PYTHON) --version)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)

$(VENV)/studies.stamp: $(PINNED) | $(RUN)
	@echo "== environment: installing what the studies need (torch among it: the first time takes minutes)"
	@$(INSTALL) --editable '.[studies]'
	@touch $@

$(VENV)/dev.stamp: $(PINNED) | $(RUN)
	@echo "== environment: installing what the studies and the tests need (torch among it: the first time takes minutes)"
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/studies.stamp

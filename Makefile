# Everything a developer runs. `make` alone lists it; Python 3.11 and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS := .venv-docs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install quickstart test test-all lint format benchmark docs clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with zol2l and its development tools (PYTHON=python3.12 chooses)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "zol2l needs Python 3.11 or newer; $(PYTHON) is" \
			"$$($(PYTHON) --version 2>/dev/null || echo not there)." \
			"Name another: make install PYTHON=python3.11" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; assert sys.version_info >= (3, 11)' 2>/dev/null \
		|| $(PYTHON) -m venv --clear $(VENV)
	@{ $(BIN)/python -m pip install --quiet uv \
		&& $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode -e ".[dev]"; } || { \
		echo "uv cannot install here; going on with pip, which takes longer"; \
		$(BIN)/python -m pip install -e ".[dev]"; }
	@touch $@

quickstart: install ## learn an optimizer on 8 x 8 digits and compare it with tuned baselines
	$(BIN)/zol2l reproduce experiment=quickstart

test: install ## the tests that every change must pass
	$(BIN)/python -m pytest

test-all: install ## the slow tests too
	$(BIN)/python -m pytest -m "not gpu"

lint: install ## check style and types, change nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: install ## put the code into the house's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

benchmark: install ## overhead of optimizer steps, attacks and adversarial training
	$(BIN)/python benchmarks/step_overhead.py
	$(BIN)/python benchmarks/attack_throughput.py
	$(BIN)/python benchmarks/adversarial_epoch.py

docs: $(DOCS)/.installed ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

$(DOCS)/.installed: docs/requirements.txt
	$(PYTHON) -m venv --clear $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet -r docs/requirements.txt
	@touch $@

clean: ## remove virtual environments, caches and build products; data/ and outputs/ stay
	rm -rf $(VENV) $(DOCS) build dist site .pytest_cache .ruff_cache .mypy_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

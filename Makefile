# Everything a person starts. `make run` and `make test` need Python 3.11-3.13, git and make only.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= 2

# The first Python that fits; override with `make run PYTHON=/path/to/python3.12`.
FIT := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c '$(FIT)' >/dev/null 2>&1 && echo $$p && exit; done; command -v python3 || echo none)
HAVE_PYTHON = command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "tool-catalog: no Python here \
	($(PYTHON)); install Python 3.11, 3.12 or 3.13, or name one: PYTHON=/path/to/python3.12" \
	>&2; exit 2; }

.PHONY: help run demo test test-slow bench lint types format lock docs clean install install-dev

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

run: install ## Install, run the demonstration, then serve the Dagster UI until Ctrl-C
	@exec $(BIN)/tool-catalog up

demo: install ## The same without serving; exits
	@exec $(BIN)/tool-catalog demo

test: install-dev ## Everything that can be tested on this machine
	$(BIN)/pytest -n $(WORKERS) -m "not slow"

test-slow: install-dev ## The long proofs
	$(BIN)/pytest -n $(WORKERS) -m slow

bench: install-dev ## Speed as ratios against peers and floors; writes benchmarks/results/latest.json
	$(BIN)/python -m benchmarks

lint: install-dev ## Linter and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev ## Strict type check
	$(BIN)/basedpyright

format: install-dev ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: install-dev ## Resolve the dependencies anew (names, versions and hashes; no index address)
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url --no-header --no-annotate --quiet \
		-o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate --quiet \
		-o requirements-dev.lock

docs: install-dev ## Write the generated reference pages anew
	$(BIN)/python -m tool_catalog_pipelines.cli.reference

clean: ## Remove the installation and its state
	rm -rf .venv var

install:
	@$(HAVE_PYTHON)
	@$(PYTHON) bootstrap.py

install-dev:
	@$(HAVE_PYTHON)
	@$(PYTHON) bootstrap.py --dev

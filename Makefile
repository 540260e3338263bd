# `make help` lists the targets, by the comment behind their ##. Every target says what it does and is quick when there
# is nothing to do. PORT, HOST, RUNCODE_HOME and the other settings (docs/settings.md) are taken from the environment,
# from `make run PORT=9000`, or from a file `.env`.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The Python that makes the virtual environment, 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
TOOLCHAINS := python-3.14 gcc-15 g++-15
# Tests keep their toolchains outside the clone, so that a fresh clone on the same machine need not fetch them again.
CACHE := $(or $(XDG_CACHE_HOME),$(or $(HOME),/root)/.cache)/runcode
TESTS ?= tests
LOCK = $(CACHE)/lock/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras pyproject.toml

.PHONY: help run test test-drivers doctor toolchains lint types imports migrations deployable lock format frontend bench bench-connections bench-contexts coverage soak ci clean
.PHONY: _python _venv _venv-dev _toolchains _toolchains-all _checks _tools

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: _python ## From a fresh clone to the running service (HOST, PORT, RUNCODE_HOME; Ctrl-C stops it)
	@$(PYTHON) execution/doctor.py --install --brief
	@$(MAKE) -j2 _venv _toolchains
	@exec $(BIN)/python manage.py serve --demo

test: export RUNCODE_HOME := $(or $(RUNCODE_HOME),$(CACHE)/tests)
test: _python ## All checks and all tests, with everything that they need (TESTS=tests/accounts narrows them)
	@$(PYTHON) execution/doctor.py --install --tests --brief
	@$(MAKE) -j2 _venv-dev _toolchains-all
	@$(MAKE) lint types imports migrations deployable
	@echo "Tests, in random order and in parallel:"
	@$(BIN)/python -m pytest -n auto $(TESTS)

test-drivers: export RUNCODE_HOME := $(or $(RUNCODE_HOME),$(CACHE)/tests)
test-drivers: export RUNCODE_TEST_DRIVERS := all
test-drivers: _tools ## Every program of every language, and every hostile one, on both drivers (half an hour)
	@$(MAKE) _toolchains-all
	@$(BIN)/python -m pytest -n auto tests/languages tests/abuse tests/sandbox

doctor: _python ## Is this host fit? What is missing, and the command that mends it
	@$(PYTHON) execution/doctor.py

toolchains: _python ## Install or bring up to date the first toolchains (TOOLCHAINS="python-3.14 gcc-15")
	@$(PYTHON) execution/doctor.py --install --brief --no-port
	@$(MAKE) _toolchains
	@$(PYTHON) -m execution.toolchains list

lint: _tools ## Lint and check the formatting
	@echo "Lint (ruff):"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: _tools ## Check the types
	@echo "Types (mypy):"
	@$(BIN)/mypy

imports: _tools ## Check that imports point one way
	@echo "Import directions (import-linter):"
	@$(BIN)/lint-imports --no-logo

migrations: _tools ## Check that no migration is missing
	@echo "Migrations:"
	@$(BIN)/python manage.py makemigrations --check --dry-run

deployable: _tools ## Check the settings as a public installation would have them
	@echo "Settings of a public installation:"
	@RUNCODE_PUBLIC_URL=https://runcode.example $(BIN)/python manage.py check --deploy --fail-level WARNING

lock: _python ## Make the lock files anew from pyproject.toml; what they pin already stays
	@$(PYTHON) -m venv $(CACHE)/lock && $(CACHE)/lock/bin/pip install -qq --disable-pip-version-check uv
	@$(LOCK) -o deploy/requirements.lock
	@$(LOCK) --group dev -o deploy/requirements-dev.lock

format: _tools ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

frontend: ## Build static/widget/, static/lib/ and static/console/ from their sources (needs nodejs and npm)
	@for sources in widgets/frontend widgets/client execution/console; do \
		(cd $$sources && npm ci --no-audit --no-fund --loglevel=error && npm run --silent types && npm run --silent build); done

bench: _tools ## Measure whole calls against the bare toolchain; writes RUNCODE_HOME/bench/latest.json
	@$(MAKE) _toolchains
	@$(BIN)/python -m bench

bench-connections: _tools ## Measure what 1,200 idle connections cost: memory of each, and the calls beside them
	@$(MAKE) _toolchains
	@$(BIN)/python -m bench.connections

bench-contexts: _tools ## Measure contexts beside a bare interpreter and a bare kernel, and a hundred that are live at once
	@$(MAKE) _toolchains
	@$(BIN)/python -m bench.contexts

coverage: export RUNCODE_HOME := $(or $(RUNCODE_HOME),$(CACHE)/tests)
coverage: _tools ## Run the tests and show what they leave out (90 % of sandbox, accounts, billing at least)
	@$(MAKE) _toolchains-all
	@$(BIN)/python -m pytest -n auto --cov=execution/sandbox --cov=accounts --cov=billing --cov-report=term-missing:skip-covered \
		--cov-fail-under=90 $(TESTS)

soak: export RUNCODE_HOME := $(or $(RUNCODE_HOME),$(CACHE)/tests)
soak: _tools ## Thousands of runs, a tenth hostile, and hundreds of contexts; then nothing may be left (DRIVER=docker, RUNS, CYCLES, CLIENTS, SEED)
	@$(MAKE) _toolchains-all
	@$(BIN)/python -m tests.soak
	@$(BIN)/python -m tests.soak.contexts

ci: ## What continuous integration runs
	@bash .ci/run

clean: ## Remove what can be made again; RUNCODE_HOME stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
	@echo "Removed. Toolchains and data are untouched."

_python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing. Install it: apt-get install python3 python3-venv"; exit 1; }

_venv: _python
	@bash deploy/venv.sh $(PYTHON) deploy/requirements.lock

_venv-dev: _python
	@bash deploy/venv.sh $(PYTHON) deploy/requirements-dev.lock deploy/requirements.lock

_tools: _venv-dev

_toolchains: _python
	@$(PYTHON) -m execution.toolchains install $(TOOLCHAINS)

_toolchains-all: _python
	@$(PYTHON) -m execution.toolchains install --all

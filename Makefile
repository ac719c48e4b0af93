# Everything a developer does, by name. Every target builds the environment it needs and reuses it the next time.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env demo test lint format bench docs collector constraints clean

VENV ?= .venv
BIN := $(VENV)/bin
export VENV

# The documents that some tests compare with; where they are not at hand those tests are left out.
ifneq ($(wildcard ../shared/seeds),)
export FOOTSPAN_SEED_DOCS ?= $(abspath ../shared/seeds)
endif

help: ## this text
	@echo 'footspan: product analytics on OpenTelemetry'
	@echo
	@echo 'You need Python >= 3.10, make and a package index; the rest is built on first use, in $(VENV).'
	@echo 'New here?  make demo   shows the whole road of an event on this machine in a minute,'
	@echo '           make test   shows that it works here. CONTRIBUTING.md goes on from there.'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Settings, given behind the target:'
	@echo '  PYTHON=python3.12       the interpreter to build on (default: the newest from 3.10 up that is found)'
	@echo '  VENV=/path              the environment to build and use (default: .venv)'
	@echo '  KEEP=1                  make demo: leave everything running to look at'
	@echo '  PYTEST_ARGS="-k spool"  make test: passed on to pytest (-n0 runs them in one process)'
	@echo '  COVERAGE=1              make test: measure branch coverage and report it'
	@echo '  QUICK=1                 make bench: few rounds, to see that it runs'
	@echo '  UPGRADE=1               make constraints: take the newest versions instead of keeping the pinned ones'

env: ## build the environment, or see that it is up to date
	@tools/ensure-env

demo: env ## the example shop, two workers, Umami and OTLP on loopback, one worker killed: nothing lost?
	@KEEP='$(KEEP)' $(BIN)/python examples/shop/demo.py

test: env ## every test: the quick ones, then whole processes and, once it is built, a real Collector
	@tools/run-tests

lint: env ## style, types, the one-way road between the rooms, what no committed file may name
	@failed=; for check in 'ruff check' 'ruff format --check' mypy lint-imports 'python tools/check_files.py'; do \
		echo "== $$check"; $(BIN)/$$check || failed="$$failed [$$check]"; \
	done; [ -z "$$failed" ] || { echo "lint: failed:$$failed"; exit 1; }

format: env ## rewrite the sources in the project's style
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: env ## every figure of docs/overhead.md against the raw OpenTelemetry SDK, in one table
	@$(BIN)/python benchmarks/run.py $(if $(QUICK),--quick)

docs: env ## the documentation is Markdown: check its links and run its code blocks
	$(BIN)/python -m pytest tests/docs

collector: ## build a real OpenTelemetry Collector for the tests (needs Go; kept in the user's cache)
	@python3 tools/collector.py

constraints: ## resolve pyproject.toml anew into requirements/dev.txt
	@tools/constraints $(if $(UPGRADE),--upgrade)

clean: ## remove what the targets built here (not the Collector in the user's cache)
	rm -rf $(VENV) .cache .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything runs in .venv, which the first target that needs it sets up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALL_LOG := $(VENV)/install.log

export DAGSTER_DISABLE_TELEMETRY := yes
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show the targets
	@echo "genie-assets: what happens in your Databricks Genie spaces, as Delta tables"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(INSTALLED) ## Load thirty days of a sandbox account and compare the tables with the truth
	@$(BIN)/genie-assets demo

.PHONY: dev
dev: $(INSTALLED) ## Open the Dagster UI with the sandbox behind it
	@$(BIN)/genie-assets dev

.PHONY: check
check: format lint types definitions schema ## Format, lint, types, definitions, schema files, fast tests
	@echo "Fast tests"
	@$(BIN)/python -m pytest -m "not slow"

.PHONY: test
test: $(INSTALLED) ## Run all tests, the slow ones too
	@# A file's tests stay in one worker, so that what they share is started once.
	@$(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: bench
bench: $(INSTALLED) ## Measure
	@$(BIN)/python -m benchmarks.run

.PHONY: soak
soak: $(INSTALLED) ## Kill a load a hundred times: nothing may be lost, nothing doubled (five to ten minutes)
	@$(BIN)/python -m benchmarks.soak

.PHONY: clean
clean: ## Remove the environment and all caches; the tables in .genie stay
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .tmp_dagster_home_*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The parts of `check`, one word each.
.PHONY: format lint types definitions schema
format: $(INSTALLED)
	@echo "Format"
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
lint: $(INSTALLED)
	@echo "Lint"
	@$(BIN)/ruff check --quiet .
types: $(INSTALLED)
	@echo "Types"
	@$(BIN)/mypy --no-error-summary
definitions: $(INSTALLED)
	@echo "Dagster definitions"
	@# Dagster advises another tool, which is not part of this project, on every call.
	@PYTHONWARNINGS=ignore $(BIN)/dagster definitions validate --log-level warning
schema: $(INSTALLED)
	@echo "Schema files"
	@$(BIN)/python -m genie_assets.schema_files --check

# Written last, so that an installation that was cut short is done again.
$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@python=""; \
	for candidate in python3 python3.13 python3.12 python3.11; do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then \
			python="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11 to 3.14 was found: install one so that python3 or python3.11 starts it." >&2; \
		exit 1; \
	fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then "$$python" -m venv --clear $(VENV); fi
	@echo "Installing into $(VENV) … one to three minutes"
	@if ! $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[ui,sandbox,dev]' >$(INSTALL_LOG) 2>&1; then \
		tail -n 20 $(INSTALL_LOG) >&2; \
		echo "The installation failed; all of its output is in $(INSTALL_LOG)." >&2; \
		exit 1; \
	fi
	@touch $@

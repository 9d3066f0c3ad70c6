# Everything runs in .venv, which the first target that needs it sets up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALL_LOG := $(VENV)/install.log

# The rings of tests, see genie_assets_tests/rings.py: QUICK is a part of NOT_LONG, which with LONG is all of them.
QUICK := "not servers and not slow and not long and not rare"
NOT_LONG := "not long and not rare"
LONG := "long and not rare"
# The months and the days by the clock take as long as all others together: CI leaves them out.
LANDING := "long and not rare and not months"
# Tests of servers and processes wait a good deal: four workers keep two cores busy.
WORKERS := 4
# A file's tests stay in one worker, so that what they share is started once; see genie_assets_tests/workers.py.
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

export DAGSTER_DISABLE_TELEMETRY := yes
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Else every process that tests start compiles all of our modules anew, which takes it a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show the targets
	@echo "genie-assets: what happens in your Databricks Genie spaces, as Delta tables"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

# The threads that delta-rs starts in each of so many processes take turns rather than work: with one each, tests of
# tables take two thirds of the time on two cores.
quick test long landing rare: export TOKIO_WORKER_THREADS := 1

.PHONY: demo
demo: $(INSTALLED) ## Load thirty days of a sandbox account and compare the tables with the truth
	@# `make demo LAKEHOUSE=uc://main.genie_demo` makes the tables there; an exported variable has no say.
	@$(BIN)/genie-assets demo$(if $(filter command,$(origin LAKEHOUSE)), --lakehouse '$(LAKEHOUSE)')

.PHONY: dev
dev: $(INSTALLED) ## Open the Dagster UI on the demo, with the sandbox behind it
	@$(BIN)/genie-assets dev --demo

.PHONY: quick
quick: $(INSTALLED) ## Run the tests that need no server and no process (seconds)
	@echo "Quick tests"
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m $(QUICK)

.PHONY: check
check: static quick ## Format, lint, types, definitions, schema files, quick tests: for every change

.PHONY: test
test: $(INSTALLED) ## Run all tests but the long ones (minutes)
	@$(BIN)/python -m genie_assets_tests.second_try $(SPREAD) -m $(NOT_LONG)

.PHONY: long
long: $(INSTALLED) ## Spend a newcomer's hour, kill, pause, deploy, live through two months: the tests that take long
	@$(BIN)/python -m genie_assets_tests.second_try $(SPREAD) -m $(LONG)

.PHONY: landing
landing: $(INSTALLED) ## What CI runs of `make long`: all but the months and the days by the clock
	@$(BIN)/python -m genie_assets_tests.second_try $(SPREAD) -m $(LANDING)

.PHONY: rare
rare: $(INSTALLED) ## Let two processes race, take conditions out of views, pause and signal often (an hour)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m rare

.PHONY: fix
fix: $(INSTALLED) ## Mend what can be mended: format and lint
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

.PHONY: docs
docs: $(INSTALLED) ## Write what is generated: schema files and documents
	@$(BIN)/python -m genie_assets.schema_files
	@$(BIN)/python -m genie_assets_tests.rooms --write

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

# What `check` does besides tests; CI runs it by itself, as `test` has the quick tests, too.
.PHONY: static format lint types definitions schema
static: format lint types definitions schema
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
	@if ! $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[ui,sandbox,sql,dev]' >$(INSTALL_LOG) 2>&1; then \
		tail -n 20 $(INSTALL_LOG) >&2; \
		echo "The installation failed; all of its output is in $(INSTALL_LOG)." >&2; \
		exit 1; \
	fi
	@touch $@

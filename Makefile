# Everything is started from here; `make help` lists what there is.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# No question is ever asked, and no newer pip is talked about.
PIP := PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet
# The locks are complete, so nothing is resolved; every file is checked against its digest.
LOCKED := $(PIP) --no-deps --require-hashes

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-web test-python setup-test lint format bench migration openapi lock clean \
	up-local down-local tools-run tools-test tools-bench tools-stack web-app web-packages \
	lint-python lint-types lint-imports lint-schema lint-openapi lint-tree lint-translations lint-web

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# --- running -----------------------------------------------------------------

setup: tools-run $(VENV)/.installed web-app ## Prepare everything without starting it

run: setup ## Start the product; options for it in ARGS="--port 9000"
	@exec $(BIN)/metastore serve $(ARGS)

up-local: tools-stack setup $(VENV)/.dev-packages ## Start the scale-out profile, as processes; options in ARGS="--port 9000"
	@exec $(BIN)/python -m deploy.local up $(ARGS)

down-local: ## End what up-local started
	@$(BIN)/python -m deploy.local down $(ARGS)

tools-run tools-test tools-bench tools-stack: tools-%:
	@PYTHON=$(PYTHON) .ci/ensure-tools $*

$(VENV)/.created: | tools-run
	@echo "Making $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.packages: requirements.lock | $(VENV)/.created
	@echo "Installing Python packages …" >&2
	@$(LOCKED) -r requirements.lock
	@touch $@

# Editable, so that it need not be done again when the code changes.
$(VENV)/.installed: pyproject.toml | $(VENV)/.packages
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-packages: requirements-dev.lock | $(VENV)/.packages
	@echo "Installing Python packages for development …" >&2
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

web-app: $(VENV)/.packages
	@$(BIN)/python hatch_build.py

web-packages: $(VENV)/.packages
	@$(BIN)/python hatch_build.py packages

# --- checking ----------------------------------------------------------------

setup-test: tools-test setup $(VENV)/.dev-packages web-packages

test: test-web ## Run all tests; the Python ones take options in ARGS="-k upload"
	@$(MAKE) --no-print-directory test-python

test-web: setup-test
	@cd web && CI=1 npm test --silent

test-python: setup-test
	@.ci/test-python $(ARGS)

lint: lint-python lint-types lint-imports lint-schema lint-openapi lint-tree lint-translations lint-web ## Run all checks of the code

lint-python: setup-test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

lint-types: setup-test
	@$(BIN)/mypy

lint-imports: setup-test
	@$(BIN)/lint-imports

lint-schema: setup-test
	@PYTHONPATH=. $(BIN)/python .ci/migrations.py check

lint-openapi: setup-test
	@$(BIN)/metastore openapi | diff -u --label web/openapi.json --label "metastore openapi" web/openapi.json - \
		|| { echo "web/openapi.json is out of date: make openapi" >&2; exit 1; }

lint-tree: setup-test
	@$(BIN)/python .ci/tree.py

lint-translations: setup-test
	@$(BIN)/python .ci/translations.py

lint-web: setup-test
	@cd web && npm run --silent lint && npm run --silent typecheck

format: setup-test ## Bring the code into its form
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format
	@cd web && npm run --silent format

# --- making ------------------------------------------------------------------

bench: tools-bench setup $(VENV)/.bench-packages ## Measure beside other servers; options in ARGS
	@PYTHONPATH=. $(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.bench-packages: requirements-bench.lock | $(VENV)/.packages
	@$(LOCKED) -r requirements-bench.lock
	@touch $@

migration: setup-test ## Write the revision that the models lack, named by MESSAGE="…"
	@PYTHONPATH=. $(BIN)/python .ci/migrations.py new "$(MESSAGE)"
	@$(BIN)/ruff check --fix --quiet src/metastore/migrations && $(BIN)/ruff format --quiet src/metastore/migrations

openapi: setup-test ## Write web/openapi.json and the web app's types from the server's code
	@$(BIN)/metastore openapi > web/openapi.json
	@cd web && npm run --silent generate

# Neither names a registry: hashes say what is meant, wherever it comes from.
lock: setup-test ## Write the lock files anew from pyproject.toml and web/package.json
	@$(PIP) uv
	@COMPILE="$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml"; \
	$$COMPILE --extra build -o requirements.lock && \
	$$COMPILE --extra build --extra dev -c requirements.lock -o requirements-dev.lock && \
	$$COMPILE --extra build --extra dev --extra bench -c requirements-dev.lock -o requirements-bench.lock
	@fresh=$$(mktemp -d) && cp web/package.json web/.npmrc $$fresh && (cd $$fresh && npm install --package-lock-only --silent) \
		&& mv $$fresh/package-lock.json web/ && rm -r $$fresh

clean: ## Remove what was built and installed; data stays
	@rm -rf $(VENV) web/node_modules src/metastore/webapp dist build .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	@find src tests .ci benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The entry point for every task; `make help` lists the targets.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Never prompt, and do not suggest a newer pip.
PIP := PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet
# The lock files are complete: nothing is resolved, and every file is verified by its hash.
LOCKED := $(PIP) --no-deps --require-hashes

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-web test-python setup-test lint format bench migration openapi lock clean \
	up-local down-local tools-run tools-test tools-bench tools-stack bytecode web-app web-packages \
	lint-python lint-types lint-imports lint-schema lint-openapi lint-tree lint-dependencies lint-translations lint-web

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# --- running -----------------------------------------------------------------

setup: tools-run $(VENV)/.installed bytecode web-app ## Prepare everything without starting it

run: setup ## Start the product; options in ARGS="--port 9000"
	@exec $(BIN)/metastore serve $(ARGS)

up-local: tools-stack setup $(VENV)/.dev-packages ## Start the scale-out profile as plain processes; options in ARGS="--port 9000"
	@exec $(BIN)/python -m deploy.local up $(ARGS)

down-local: ## Stop what up-local started
	@$(BIN)/python -m deploy.local down $(ARGS)

tools-run tools-test tools-bench tools-stack: tools-%:
	@PYTHON=$(PYTHON) .ci/ensure-tools $*

$(VENV)/.created: | tools-run
	@echo "Creating $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.packages: requirements.lock | $(VENV)/.created
	@echo "Installing Python packages …" >&2
	@$(LOCKED) -r requirements.lock
	@touch $@

# Editable, so that changes of the code need no new install.
$(VENV)/.installed: pyproject.toml | $(VENV)/.packages
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Also where PYTHONDONTWRITEBYTECODE is set: compiling the product anew would take a fifth of each start.
bytecode: $(VENV)/.installed
	@$(BIN)/python -m compileall -q src/metastore

# After the other installations in the environment, and `web-packages` after the build of the web app, so that `--jobs`
# never runs two of pip or of npm at the same time.
$(VENV)/.dev-packages: requirements-dev.lock | $(VENV)/.packages $(VENV)/.installed
	@echo "Installing Python packages for development …" >&2
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

web-app: $(VENV)/.packages
	@$(BIN)/python hatch_build.py

web-packages: $(VENV)/.packages | web-app
	@$(BIN)/python hatch_build.py packages

# --- checking ----------------------------------------------------------------

setup-test: tools-test setup $(VENV)/.dev-packages web-packages

test: test-web ## Run all tests; the Python ones take options in ARGS="-k upload"
	@$(MAKE) --no-print-directory test-python

test-web: setup-test
	@cd web && CI=1 npm test --silent

test-python: setup-test
	@.ci/test-python $(ARGS)

lint: lint-python lint-types lint-imports lint-schema lint-openapi lint-tree lint-dependencies lint-translations lint-web ## Run all checks of the code

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
	@PYTHONPATH=.ci $(BIN)/python -m checks

lint-dependencies: setup-test
	@$(BIN)/python .ci/dependencies.py

lint-translations: setup-test
	@$(BIN)/python .ci/translations.py

lint-web: setup-test
	@cd web && npm run --silent lint && npm run --silent typecheck

format: setup-test ## Format the code
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format
	@cd web && npm run --silent format

# --- building ------------------------------------------------------------------

bench: tools-bench setup $(VENV)/.bench-packages ## Measure the product beside other servers; options in ARGS
	@PYTHONPATH=. $(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.bench-packages: requirements-bench.lock | $(VENV)/.packages
	@$(LOCKED) -r requirements-bench.lock
	@touch $@

migration: setup-test ## Write the migration that the models need; title in MESSAGE="…"
	@PYTHONPATH=. $(BIN)/python .ci/migrations.py new "$(MESSAGE)"
	@$(BIN)/ruff check --fix --quiet src/metastore/migrations && $(BIN)/ruff format --quiet src/metastore/migrations

openapi: setup-test ## Write web/openapi.json and the web app's types from the server's code
	@$(BIN)/metastore openapi > web/openapi.json
	@cd web && npm run --silent generate

# Lock files name no registry: the hashes identify each file, wherever it is downloaded from.
lock: setup-test ## Regenerate the lock files from pyproject.toml and web/package.json
	@$(PIP) uv
	@COMPILE="$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml"; \
	$$COMPILE --extra build -o requirements.lock && \
	$$COMPILE --extra build --extra dev -c requirements.lock -o requirements-dev.lock && \
	$$COMPILE --extra build --extra dev --extra bench -c requirements-dev.lock -o requirements-bench.lock
	@fresh=$$(mktemp -d) && cp web/package.json web/.npmrc $$fresh && (cd $$fresh && npm install --package-lock-only --silent) \
		&& mv $$fresh/package-lock.json web/ && rm -r $$fresh

clean: ## Remove everything built and installed, but no data
	@rm -rf $(VENV) web/node_modules src/metastore/webapp dist build .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	@find src tests .ci benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

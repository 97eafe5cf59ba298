# Everything a contributor runs. Needs Python 3.11+ and make; the rest is set up in .venv and the user's cache folder.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto
SECONDS ?= 60
# A checkout that was copied or moved makes its own: an environment names the place it was made in.
STAMP := .venv/.made-for$(subst /,-,$(CURDIR))
# What a person, or a container's image, may have set for other work, and would break this; the last makes it slow.
unexport PIP_USER PIP_REQUIRE_HASHES PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONDONTWRITEBYTECODE
export GOWORK := off
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11
LOCKS := $(basename $(wildcard tools/requirements/*.in tests/*/requirements.in))

.PHONY: help setup demo test test-minimal bench bench-check conformance conformance-report policy fuzz mutation audit dist format lint types pytest generate lock helm clean
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with the tool and what its tests need, at the locked versions

# --no-deps: a lock names everything, and pip before 23.3 asks for `coverage[toml]` anew, past the locked `coverage`.
$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) tools/require_python.py
	@$(PYTHON) -m venv --clear .venv
	@echo "setup: installing locked dependencies into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@found=$$($(BIN)/python -m pip --disable-pip-version-check check) || { echo "$$found"; exit 1; }
	@touch $@

demo: setup ## the chart and an istiod release through the post-renderer, with real Helm; no cluster
	@$(BIN)/python tools/demo.py

test: setup ## format, lint, types, and every test but the conformance suite; COVERAGE=1: twice as long, and how much of the code ran
	@$(MAKE) --no-print-directory lint types pytest

bench: setup ## beside yq, kubectl kustomize and others, into docs/benchmarks.md; SHORT=1: a minute, writes nothing. Needs Go
	@$(BIN)/python tools/bench.py $(if $(SHORT),--short,--write)

bench-check: setup ## measure, and fail where a goal is missed
	@$(BIN)/python tools/bench.py --check

conformance: setup ## spans through a real API server, istiod and Envoy; needs Linux, root and Go, and minutes the first time
	@$(BIN)/python tools/conformance.py --verbose --tb=short $(PYTEST)

conformance-report: ## the same, and docs/conformance.md of what it saw
	@$(MAKE) --no-print-directory conformance PYTEST=--report

test-minimal: setup helm ## the tests of the engine with the lowest run-time dependencies that are allowed
	@$(BIN)/python tools/minimal.py --numprocesses=$(WORKERS) $(PYTEST)

fuzz: setup ## coverage-guided fuzzing for SECONDS=60; tools/fuzz.py --keep takes what it found into the corpus
	@$(BIN)/python tools/fuzz.py $(SECONDS)

mutation: setup ## does a test fail where the code is wrong? MODULES="stream edits rules k8syaml serializer", hours for all of them
	@$(BIN)/python tools/mutation.py $(MODULES)

audit: setup ## known vulnerabilities of every locked dependency, by PyPI's database, and mistakes in workflows
	@$(BIN)/python tools/audit.py

dist: setup helm ## what a release consists of, in dist/: sdist, wheel, chart, bill of materials; built twice, tried once
	@$(BIN)/python tools/dist.py

policy: setup helm ## checkov over what the chart renders
	@$(BIN)/python tools/chart_policy.py

format: setup ## reformat the code
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

lint: setup
	@echo "== format and lint"
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/yamllint --strict .
	@$(BIN)/python tools/generate.py --check
	@$(BIN)/python tools/cli_pages.py --check
	@$(BIN)/python tools/rule_pages.py --check
	@$(BIN)/python tools/chart_readme.py --check

types: setup
	@echo "== types"
	@$(BIN)/mypy

pytest: setup helm
	@echo "== tests"
	@$(BIN)/pytest --numprocesses=$(WORKERS) $(if $(COVERAGE),--cov --cov-report=term)

generate: setup ## write what is derived: validators, pages, completions
	@$(BIN)/python tools/generate.py
	@$(BIN)/python tools/cli_pages.py
	@$(BIN)/python tools/rule_pages.py
	@$(BIN)/python tools/chart_readme.py

lock: setup ## resolve every locked dependency anew
	@PATH="$$($(BIN)/python tools/environments.py lock)/bin:$$PATH"; export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	  $(COMPILE) --group dev pyproject.toml --output-file requirements-dev.lock && \
	  for each in $(LOCKS); do $(COMPILE) $$each.in --output-file $$each.txt || exit 1; done

helm: setup
	@$(BIN)/python tools/helm_binaries.py

clean: ## remove what make made here; what is in the cache folder stays
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

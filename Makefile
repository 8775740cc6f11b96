# Two commands on a bare machine with Python 3.11+, pip, make and git: `make demo` and `make test`.
# All paths are relative to this file: checkouts side by side, or under a path with spaces, never meet.

PYTHON ?= python3
ARGS ?=

VENV ?= .venv
BIN := $(VENV)/bin
QUICK := tests/unit tests/provider tests/rows tests/deploy tests/repository
STAMP := $(VENV)/installed
# Each run starts hundreds of interpreters: without bytecode all of them would compile the same again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo up check test lint docs man screenshots dashboard rules incidents bench image pins sbom audit clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | while IFS='|' read -r target does; do \
		printf '%-18s %s\n' "$$target" "$$does"; done
	@echo '  PYTHON=python3.12 chooses the interpreter, VENV=folder another place than .venv; ARGS="..." is passed on by demo, up, check, test, incidents and bench.'

install: $(STAMP) ## Set up .venv; again only when pyproject.toml or requirements change

demo: install ## Make every kind of call once against the sandbox, then exit
	$(BIN)/voice-dispatcher demo $(ARGS)

up: install ## Run the whole stack until Ctrl-C
	$(BIN)/voice-dispatcher up $(ARGS)

check: lint ## Check the quick things, all day: style, types, and tests that need little time
	$(BIN)/pytest -n auto $(QUICK) $(ARGS)

test: install $(VENV)/docs ## Run the whole test suite, in parallel
	@.ci/browser
	@.ci/alertmanager
	@.ci/proxies
	@.ci/promtool
	$(BIN)/pytest -n auto $(ARGS)

lint: install ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/docs ## Build the documentation as one site, and look through it
	$(BIN)/python -m website

man: install ## Write the manual pages of all commands into dist/man
	$(BIN)/python -m dispatcher.cli.man dist/man

screenshots: install ## Make the pictures of docs/how-to/console.md again
	@.ci/browser
	PYTHONPATH=tests $(BIN)/python website/screenshots.py

dashboard: install ## Write the dashboard for Grafana again, after a change of its panels
	$(BIN)/python -m deploy.grafana.dashboard

rules: install ## Write the rules for Prometheus again, and the table of problems, of the catalogue
	PYTHONPATH=. $(BIN)/python deploy/prometheus/make_rules.py
	PYTHONPATH=tests $(BIN)/python -m incidents.page

incidents: install ## Bring each incident about, record what metrics say, and write who named it, and when
	PYTHONPATH=tests $(BIN)/python -m incidents $(ARGS)

bench: $(VENV)/bench ## Run the benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

image: ## Build the container image by Buildah, and test it inside of it
	deploy/image/build $(ARGS)

pins: ## Pin the newest versions that fit pyproject.toml, with hashes
	PYTHON="$(PYTHON)" .ci/pin

sbom: $(VENV)/audit ## Write dist/sbom.json: what the container image holds, in CycloneDX; and docs/reference/licenses.md
	.ci/sbom $(BIN)

audit: $(VENV)/audit ## Look for known vulnerabilities of what is pinned; asks the package index
	$(BIN)/pip-audit --require-hashes --disable-pip --strict -r requirements/server.txt

clean: ## Remove .venv, builds and caches; a stack's data in .voice-dispatcher stays
	rm -rf $(VENV) dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Distributions that split ensurepip off leave it out of a bare Python: pip itself fills in.
$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, %s is %s: try make PYTHON=python3.11" % (sys.executable, sys.version.split()[0]))'
	@"$(PYTHON)" .ci/requirements >/dev/null
	@if "$(PYTHON)" -c 'import ensurepip' 2>/dev/null; then \
		"$(PYTHON)" -m venv $(VENV); \
	else \
		"$(PYTHON)" -m venv --without-pip $(VENV) && "$(PYTHON)" -m pip --python $(BIN)/python install --quiet pip; \
	fi

# Each file that pip takes has a hash in requirements/; our own package is built with what came so.
$(STAMP): pyproject.toml requirements/dev.txt requirements/embedded.txt | $(BIN)/python
	@echo 'Installing into $(VENV) (a minute or two the first time) ...'
	@lists=$$($(BIN)/python .ci/requirements) && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $$lists
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/docs: requirements/docs.txt | $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

$(VENV)/bench: requirements/bench.txt | $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

$(VENV)/audit: requirements/audit.txt | $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

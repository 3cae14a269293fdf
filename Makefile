# Two commands do everything: `make app` and `make test`. The others are parts of them.
PYTHON ?= python3
BIN := .venv/bin
# Where the app listens: `make app PORT=8600`.
LISTENING = $(if $(PORT),--server.port=$(PORT))
# Files of tests run side by side, one on each core, at most four.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile
# What needs no browser is found without importing what does, and the other way round.
WITHOUT_BROWSER := --ignore tests/browser

.PHONY: setup setup-all app classroom test test-slow test-newest bench docs lint browser upgrade packages clean

# What the app needs, and what tests need besides; ready in a moment where nothing has changed.
setup:
	@$(PYTHON) .ci/environment.py app

setup-all:
	@$(PYTHON) .ci/environment.py all

app: setup
	$(BIN)/python -m app $(LISTENING)

# For a room: on the local network, with a link of the host's own.
classroom: setup
	$(BIN)/python -m app --classroom $(LISTENING)

lint: setup-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every test but the slow tier. The browser tests need a Chromium or Chrome, and the machine to themselves.
test: setup-all browser lint
	$(BIN)/python -m pytest $(WITHOUT_BROWSER) $(SIDE_BY_SIDE)
	$(BIN)/python -m pytest tests/browser

test-slow: setup-all browser
	$(BIN)/python -m pytest -m slow

# The tests that need no browser, on the newest versions that the ranges of requirements.txt allow.
test-newest:
	@$(PYTHON) .ci/environment.py newest
	.venv-newest/bin/python -m pytest $(WITHOUT_BROWSER) $(SIDE_BY_SIDE)

# Resolve requirements.lock anew.
upgrade:
	@$(PYTHON) .ci/environment.py lock

# Wheels of the library, of the app, and of the models and recorded runs, into dist/.
packages: setup-all
	$(BIN)/python .ci/packages/build.py

bench: setup-all
	$(BIN)/python -m tests.bench

# The documentation as a site, without a network: build/docs/index.html.
docs: setup-all
	$(BIN)/python -m sphinx -q -W --keep-going docs build/docs

browser: setup-all
	@$(BIN)/python -m tests.browser.install

clean:
	rm -rf .venv .venv-newest *.making build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

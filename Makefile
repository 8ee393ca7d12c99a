# leukoscope: research use only. `make demo` runs it, `make test` tests it; see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test files run side by side; 0 is one after the other.
WORKERS ?= 3
# Material prints an advertisement at every build; its life until 2027-05 is noted in docs/decisions.
export NO_MKDOCS_2_WARNING := 1

.PHONY: demo up test check docs reproduce mosquitto clean

demo: $(VENV)/.local  ## one smear after the other, from the simulated microscope to the bucket
	$(BIN)/leukoscope demo $(ARGS)

up: $(VENV)/.local  ## broker, store, worker, reading room and agent until Ctrl-C
	$(BIN)/leukoscope up $(ARGS)

test: check mosquitto  ## everything: style, types, room rules, docs, tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.dev  ## style, types, room rules, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet --site-dir $(VENV)/site

docs: $(VENV)/.dev  ## the handbook, into site/
	$(BIN)/mkdocs build --strict

reproduce: $(VENV)/.dev  ## the paper's networks on the real cells of ../shared/data, into docs/results; under 30 minutes
	$(BIN)/leukoscope-model reproduce --data index:$(or $(LEUKOSCOPE_DATA),../shared/data)/index.csv \
	  --map promyelocyte= --simulator 1200 --cut found --at-most 1000 --seeds 5 --budget 22 \
	  $(ARGS)

mosquitto:  ## the broker that system tests run against, by apt where we may
	@if command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends mosquitto; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then \
	  sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends mosquitto; \
	else echo "Mosquitto is not installed and cannot be by this user: its tests will be skipped." \
	  "Install the package 'mosquitto' to run them."; fi

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("leukoscope needs Python 3.11 or newer; run make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.local: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[local]'
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) site

# Two commands matter: `make demo` shows what chaosqs does, `make check` is every gate that CI runs.
# Each target creates what it needs. PYTHON is used once, to create .venv.

PYTHON ?= python3
WORKERS ?= 2

# Compiled modules are kept: the tests start hundreds of processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet  # twice: no warnings, errors stay
# Python compiles what it imports, a small part of what is installed: all of it takes half a minute.
INSTALL := $(PIP) install --no-compile
PYTEST := $(BIN)/python -m pytest
CHAOS := ../../.venv/bin/python -m pytest --chaosqs
EDGES := $(addprefix tests/,calibration cli explain handlers net plugin project quality report search strategies \
	lambda_/test_watch.py lambda_/test_project_modules.py mock_aws/test_in_pytest.py test_alternatives.py test_house.py \
	acceptance test_packaging.py)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(LOCK_FLAGS)
# basedpyright takes as long as the others together, so it is the first.
STATIC := basedpyright ruff-format ruff-check mypy lint-imports vulture

# What is generated must be what is committed (or staged): a changed byte and a new file both count.
unchanged = git diff --exit-code --stat -- $(1) && test -z "$$(git ls-files --others --exclude-standard -- $(1))" \
	|| { echo "$(1) is not what is committed: look at 'git status $(1)', then commit it or mend the cause" >&2; exit 1; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help calibrate ensemble demo test check gallery bench bench-search deep docs house lock lint clean format \
	same-docs same-gallery $(STATIC)

help:
	@echo "make demo     a design that fails, its smallest story, and the design that fixes it"
	@echo "make check    every gate, as CI runs it"
	@echo "make test     the tests, with coverage          make lint    the static gates alone"
	@echo "make gallery  write reports/ anew               make docs    write docs/reference/ anew"
	@echo "make bench    the benchmarks                    make deep    the long searches"
	@echo "make bench-search  what the search finds of known defects, into docs/power.md"
	@echo "make calibrate  measurements on real AWS against the fake's figures"
	@echo "make ensemble   sample the assumption sets that fit these measurements: some minutes"
	@echo "make house    figures of the code: modules, imports, names, files that a reader has to open"
	@echo "make format   lay out the code                  make lock    write constraints/ anew (LOCK_FLAGS=--upgrade)"
	@echo "make clean    remove what the others made"

# Environments -----------------------------------------------------------------------------------------------------

.venv/run.stamp: pyproject.toml constraints/run.txt
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "chaosqs needs Python 3.11 or later: say which, as in 'make PYTHON=python3.12 $(or $(MAKECMDGOALS),help)'" >&2; exit 1; }
	@echo "creating .venv with the run-time dependencies"
	@$(PYTHON) -m venv .venv
	@$(INSTALL) --require-hashes -r constraints/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp constraints/dev.txt
	@echo "adding the tools of development"
	@$(INSTALL) --require-hashes -r constraints/dev.txt
	@touch $@

# What a user sees ---------------------------------------------------------------------------------------------------

# The first design is broken on purpose: pytest must end with 1 (violations found), and with nothing else.
demo: .venv/run.stamp
	@cd examples/over-polling && { $(CHAOS) || status=$$?; test "$${status:-0}" -eq 1; } \
		|| { echo "examples/over-polling: expected violations, and exit status 1" >&2; exit 1; }
	@echo
	@echo "The same system, with the setting that prevents it:"
	@cd examples/over-polling-fixed && $(CHAOS)
	@echo
	@echo "To replay the counterexample: cd examples/over-polling, then ../../.venv/bin/<the command of the story>"

# Gates --------------------------------------------------------------------------------------------------------------

check: .venv/dev.stamp
	+@$(MAKE) --no-print-directory --jobs=$(WORKERS) --keep-going --output-sync=target $(STATIC) same-docs same-gallery
	@$(MAKE) --no-print-directory test
	@echo "check: all gates pass"

same-docs: docs
	@$(call unchanged,docs)

same-gallery: gallery
	@$(call unchanged,reports)

# The static gates know nothing of each other, so two run at a time; each one's output comes in one piece, and all are heard.
lint: .venv/dev.stamp
	+@$(MAKE) --no-print-directory --jobs=$(WORKERS) --keep-going --output-sync=target $(STATIC)

ruff-format: .venv/dev.stamp
	$(BIN)/ruff format --check .

ruff-check: .venv/dev.stamp
	$(BIN)/ruff check .

mypy: .venv/dev.stamp
	$(BIN)/mypy

basedpyright: .venv/dev.stamp
	$(BIN)/basedpyright

lint-imports: .venv/dev.stamp
	$(BIN)/lint-imports --no-logo

vulture: .venv/dev.stamp
	$(BIN)/vulture

format: .venv/dev.stamp
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# What searches or starts other programs runs without coverage, whose floor is about the core: see [tool.slipcover].
# A file of those stays on one worker, so that what its tests share is found once.
test: .venv/dev.stamp
	$(PYTEST) -n $(WORKERS) --dist loadfile -q $(EDGES)
	$(BIN)/python -m slipcover --json --out .coverage.json -m pytest -p slipcover --assert=plain -n $(WORKERS) --dist load -q \
		$(addprefix --ignore=,$(EDGES))
	$(BIN)/python -m slipcover --merge .coverage.json --out .coverage.json --fail-under 95

bench: .venv/dev.stamp
	$(PYTEST) benchmarks -q

# How much the search finds, against known defects: half an hour on two idle cores. Writes benchmarks/power/results.json,
# docs/power.md and the tables of README.md.
bench-search: .venv/dev.stamp
	$(BIN)/python -m benchmarks.power.run

deep: .venv/dev.stamp
	$(PYTEST) tests --chaosqs-profile deep -m deep -n $(WORKERS)

house: .venv/dev.stamp
	@$(BIN)/python -m tools.house

# Generated and committed ----------------------------------------------------------------------------------------------

gallery: .venv/dev.stamp
	$(BIN)/python -m tools.gallery

# Every row of the seeds and of the published measurements; writes docs/calibration.md.
calibrate: .venv/dev.stamp
	$(BIN)/python -m tools.calibrate

# Assumption sets that fit the measurements; writes chaosqs/project/ensemble.json, of which `make calibrate` tells.
ensemble: .venv/dev.stamp
	$(BIN)/python -m tools.ensemble

docs: .venv/dev.stamp
	$(BIN)/python -m tools.docs

# Pins with hashes, and no index address: any mirror will do. dev.txt agrees with run.txt, on top of which it is installed.
lock: .venv/dev.stamp
	$(COMPILE) pyproject.toml --group build --output-file constraints/run.txt >/dev/null
	$(COMPILE) --group dev --constraints constraints/run.txt --output-file constraints/dev.txt >/dev/null

clean:
	rm -rf .venv build dist chaosqs.egg-info .coverage.json .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf examples/*/reports examples/*/.hypothesis examples/*/.pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# make demo   install, then run the demo and print its answers
# make check   what is quick and needs no demo: unit tests, lint and types, in a minute and a half
# make test   install, run the demo unless it has run (delete runs/demo after changing the package), then lint and all tests
# make cluster-test   the tests on a real SLURM, which they start on this machine; needs root, and Debian's slurm-wlm and munge
# make docs   the documentation as a site, in site/, with every link checked
# make lint   what must be clean at every commit, types too

PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
SNAKEMAKE_DEMO := $(BIN)/snakemake all --cores $(CORES) --directory runs/demo --configfile config/demo.yaml \
	--config 'mirror="$(CURDIR)/runs/demo-mirror"'
# A file's tests share what they prepare, so one process runs them all; tests/conftest.py says which files begin.
PYTEST := $(BIN)/pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder
LINTERS := lint-types lint-code lint-format lint-workflow lint-workflow-format

.PHONY: install demo check test cluster-test docs unit-tests all-tests lint $(LINTERS)

# Pythons start by the hundred, and each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

install: .venv/installed

# seqeval comes as a source archive that pip's old way of building cannot build. pip would compile on one core only, and
# what Python finds at fault, a file of torch for a later Python, matters to nobody.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --no-compile --use-pep517 --editable '.[development]'
	$(BIN)/python -m compileall -qq -j $(CORES) -x /tests/ .venv/lib || true
	touch $@

demo: install
	$(BIN)/python -m specialize demo-world runs/demo-mirror
	$(SNAKEMAKE_DEMO)
	$(BIN)/python -m specialize tables runs/demo

# Types take long the first time, on one core.
check: install
	$(MAKE) --no-print-directory --jobs 2 lint unit-tests

test: install demo
	$(MAKE) --no-print-directory --jobs 2 lint all-tests

cluster-test: install demo
	$(BIN)/pytest -m cluster tests/cluster

docs: .venv/documentation  # not --quiet, which lets broken links pass
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/documentation: .venv/installed
	$(BIN)/pip install --quiet --use-pep517 --editable '.[documentation]'
	touch $@

unit-tests: install
	$(PYTEST) -m 'not (slow or fuzzing or dag or real or demo or cluster)'

all-tests: install
	$(PYTEST) -m 'not cluster'

lint: $(LINTERS)

$(LINTERS): install

lint-types:
	$(BIN)/mypy

lint-workflow:
	$(BIN)/snakemake --lint

lint-workflow-format:
	$(BIN)/snakefmt --check Snakefile workflow

lint-code:
	$(BIN)/ruff check --no-cache

lint-format:
	$(BIN)/ruff format --check

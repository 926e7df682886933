# make demo   install, then run the demo and print its tables
# make test   install, run the demo unless it has run (delete runs/demo after changing the package), then all tests
# make cluster-test   the tests on a real SLURM, which they start on this machine; needs root, and Debian's slurm-wlm and munge
# make docs   the documentation as a site, in site/, with every link checked
# make lint   what must be clean at every commit

PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
SNAKEMAKE_DEMO := $(BIN)/snakemake all --cores $(CORES) --directory runs/demo --configfile config/demo.yaml \
	--config 'mirror="$(CURDIR)/runs/demo-mirror"'

.PHONY: install demo test cluster-test docs lint

install: .venv/installed

# seqeval comes as a source archive that pip's old way of building cannot build
.venv/installed: pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --use-pep517 --editable '.[development]'
	touch $@

demo: install
	$(BIN)/python -m specialize demo-world runs/demo-mirror
	$(SNAKEMAKE_DEMO)
	$(BIN)/python -m specialize tables runs/demo

test: install lint demo
	$(BIN)/pytest --numprocesses $(CORES) --dist loadfile --ignore tests/cluster --ignore tests/demo
	$(BIN)/pytest tests/demo

cluster-test: install demo
	$(BIN)/pytest tests/cluster

docs: .venv/documentation  # not --quiet, which lets broken links pass
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/documentation: .venv/installed
	$(BIN)/pip install --quiet --use-pep517 --editable '.[documentation]'
	touch $@

lint: install
	$(BIN)/ruff check --no-cache
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

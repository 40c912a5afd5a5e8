# Common commands. They create .venv and install pinned packages when needed, and again when requirements change.
# Variables: PYTHON=python3.12, PORT=8080, ARCHIVE=aclImdb_v1.tar.gz, TREEBANK=trainDevTestTrees_PTB.zip, STAGE=prod,
#   REQUESTS=500000, EXAMPLES=1000000, SECONDS=86400.

PYTHON ?= python3
PORT ?= 8000
REQUESTS ?= 20000
EXAMPLES ?= 20000
SECONDS ?= 180
ARCHIVE ?=
TREEBANK ?=
STAGE ?= dev

VENV := .venv
PY := $(VENV)/bin/python
VERDICT := $(VENV)/bin/verdict
RUN_READY := $(VENV)/.requirements-run
DEV_READY := $(VENV)/.requirements-dev
COMPAT_VENV := .venv-compat
COMPAT_READY := $(COMPAT_VENV)/.requirements-compat
ALTERNATIVES_READY := $(VENV)/.requirements-alternatives
PYTEST := $(PY) -m pytest --numprocesses auto --dist worksteal
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --requirement
INSTALL_VERDICT := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

.PHONY: help run endpoint test check format bench bench-alternatives bench-scale soak fuzz train simulate rehearse tutorial \
  compat deploy status teardown package clean
.DELETE_ON_ERROR:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) ## start the page and the model endpoint on this machine (PORT=8000)
	@$(VERDICT) run --port $(PORT)

endpoint: $(RUN_READY) ## start the model endpoint alone, for boto3 and curl
	@$(VERDICT) endpoint

test: $(DEV_READY) ## run the tests (VERDICT_ARCHIVE=aclImdb_v1.tar.gz adds those that need the labelled reviews)
	@$(PYTEST)

check: $(DEV_READY) ## run what CI runs: format, lint, types, tests
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PYTEST)

format: $(DEV_READY) ## format the code, and apply the linter's fixes
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: $(DEV_READY) ## benchmark against the tutorial's Lambda
	@$(PY) -m benchmarks

bench-alternatives: $(ALTERNATIVES_READY) ## benchmark the alternatives (ARCHIVE=, TREEBANK=; an hour or more)
	@$(PY) -m benchmarks.alternatives $(if $(ARCHIVE),--archive "$(ARCHIVE)") $(if $(TREEBANK),--treebank "$(TREEBANK)")

bench-scale: $(DEV_READY) ## measure `verdict prepare` by the number of reviews (REVIEWS="25000 100000"; Linux, hours)
	@$(PY) -m benchmarks.scale $(if $(REVIEWS),--reviews $(REVIEWS))

soak: $(DEV_READY) ## send requests under every fault (REQUESTS=20000 SECONDS=180, whichever ends first)
	@$(PY) -m soak --requests $(REQUESTS) --seconds $(SECONDS)

fuzz: $(DEV_READY) ## check generated texts, events, files and requests (EXAMPLES=20000 SECONDS=180, for each)
	@$(PY) -m fuzz --examples $(EXAMPLES) --seconds $(SECONDS)

train: $(DEV_READY) ## train and package a release (ARCHIVE=aclImdb_v1.tar.gz TREEBANK=folder; downloads both without ARCHIVE)
	@$(VERDICT) data $(if $(ARCHIVE),--archive "$(ARCHIVE)") $(if $(TREEBANK),--treebank "$(TREEBANK)")
	@$(VERDICT) prepare
	@$(VERDICT) train
	@$(VERDICT) evaluate
	@$(VERDICT) release

simulate: $(DEV_READY) ## start a simulated AWS on this machine
	@$(VERDICT) simulate

rehearse: $(DEV_READY) ## rehearse an endpoint's whole life on the simulated AWS (4 minutes)
	@$(VERDICT) rehearse

tutorial: $(DEV_READY) ## run docs/tutorial/lifecycle.md on the simulated AWS, and compare its output (5 minutes)
	@$(PY) -m rehearsal.tutorial

compat: $(DEV_READY) $(COMPAT_READY) ## run a SageMaker tutorial's steps with the SageMaker SDK and the AWS CLI on the simulated AWS
	@$(PY) -m compat $(COMPAT_VENV)/bin/python

deploy: $(DEV_READY) ## deploy the packaged release and the app to AWS (STAGE=dev)
	@$(VERDICT) doctor --stage $(STAGE) --instance-type none --create
	@$(VERDICT) deploy --stage $(STAGE)
	@$(VERDICT) bytecode
	@$(VENV)/bin/chalice deploy --stage $(STAGE)
	@$(VERDICT) feedback enable --stage $(STAGE) --again --yes

status: $(DEV_READY) ## list what exists on AWS and what it costs
	@$(VERDICT) status

teardown: $(DEV_READY) ## delete everything that a stage has on AWS (STAGE=dev)
	@$(VERDICT) teardown --stage $(STAGE)

package: $(DEV_READY) ## write a CloudFormation stack of the app (STAGE=dev)
	@$(VERDICT) package --stage $(STAGE)

clean: ## remove .venv, .venv-compat, caches and packaging files; keep data/, runs/ and the release
	rm -rf $(VENV) $(COMPAT_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .chalice/deployments *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Verdict needs Python 3.11 or newer, but '$(PYTHON)' is older. Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Could not create $(VENV). Install your system's venv package (python3-venv)." >&2; exit 1; }

$(RUN_READY): requirements-run.txt pyproject.toml | $(PY)
	@echo "Installing the app's packages ..."
	@$(PIP_INSTALL) $<
	@$(INSTALL_VERDICT)
	@touch $@

$(DEV_READY): requirements-dev.txt pyproject.toml | $(PY)
	@echo "Installing the packages of training and tests ..."
	@$(PIP_INSTALL) $<
	@$(INSTALL_VERDICT)
	@touch $@

$(ALTERNATIVES_READY): requirements-alternatives.txt | $(DEV_READY)
	@echo "Installing the alternatives to compare with ..."
	@$(PIP_INSTALL) $<
	@touch $@

$(COMPAT_READY): requirements-compat.txt | $(PY)
	@echo "Installing the SageMaker SDK and the AWS CLI in $(COMPAT_VENV) ..."
	@$(PY) -m venv $(COMPAT_VENV)
	@$(COMPAT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Verdict's commands. The first one to need it makes .venv and installs pinned packages there, once for each change of
# a requirements file. PYTHON=, PORT=, ARCHIVE= and STAGE= change what they say.

PYTHON ?= python3
PORT ?= 8000
ARCHIVE ?=
STAGE ?= dev

VENV := .venv
PY := $(VENV)/bin/python
VERDICT := $(VENV)/bin/verdict
RUN_READY := $(VENV)/.requirements-run
DEV_READY := $(VENV)/.requirements-dev
ALTERNATIVES_READY := $(VENV)/.requirements-alternatives
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --requirement
INSTALL_VERDICT := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
SNIPPETS := runs/snippets/vaderSentiment-3.3.2.tar.gz

.PHONY: help run endpoint test check format bench bench-alternatives train simulate rehearse deploy status teardown \
  package clean
.DELETE_ON_ERROR:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) ## start the page and the model's endpoint on this machine (PORT=8000)
	@$(VERDICT) run --port $(PORT)

endpoint: $(RUN_READY) ## start the model's endpoint alone, for boto3 and curl
	@$(VERDICT) endpoint

test: $(DEV_READY) ## run the tests (VERDICT_ARCHIVE=aclImdb_v1.tar.gz adds those that need the reviews)
	@$(PY) -m pytest

check: $(DEV_READY) ## what CI runs: format, lint, types, tests
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) -m pytest

format: $(DEV_READY) ## lay out the code, and mend what the linter can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: $(DEV_READY) ## measure, side by side with the tutorial's Lambda
	@$(PY) -m benchmarks

bench-alternatives: $(ALTERNATIVES_READY) $(SNIPPETS) ## measure what could be picked instead (ARCHIVE=aclImdb_v1.tar.gz; 8 minutes or more)
	@$(PY) -m benchmarks.alternatives --snippets $(SNIPPETS) $(if $(ARCHIVE),--archive "$(ARCHIVE)")

train: $(DEV_READY) ## reviews -> packaged release (ARCHIVE=aclImdb_v1.tar.gz, or it is downloaded)
	@$(VERDICT) data $(if $(ARCHIVE),--archive "$(ARCHIVE)")
	@$(VERDICT) prepare
	@$(VERDICT) train
	@$(VERDICT) evaluate
	@$(VERDICT) release

simulate: $(DEV_READY) ## start an AWS on this machine, to try every command on
	@$(VERDICT) simulate

rehearse: $(DEV_READY) ## play an endpoint's whole life on that AWS, with people asking all the while (4 minutes)
	@$(VERDICT) rehearse

deploy: $(DEV_READY) ## bring the packaged release and the app into service on AWS (STAGE=dev)
	@$(VERDICT) doctor --stage $(STAGE) --instance-type none --create
	@$(VERDICT) deploy --stage $(STAGE)
	@$(VERDICT) bytecode
	@$(VENV)/bin/chalice deploy --stage $(STAGE)

status: $(DEV_READY) ## show what exists on AWS and what it costs
	@$(VERDICT) status

teardown: $(DEV_READY) ## list, then delete, all that a stage has on AWS (STAGE=dev)
	@$(VERDICT) teardown --stage $(STAGE)

package: $(DEV_READY) ## write a CloudFormation stack of the app, with alarms and a dashboard (STAGE=dev)
	@$(VERDICT) package --stage $(STAGE)

clean: ## remove .venv, caches and packaging leftovers; data/, runs/ and the release stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .chalice/deployments
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Verdict needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Could not make $(VENV): install your system's venv package (python3-venv)." >&2; exit 1; }

$(RUN_READY): requirements-run.txt pyproject.toml | $(PY)
	@echo "Installing what the app needs ..."
	@$(PIP_INSTALL) $<
	@$(INSTALL_VERDICT)
	@touch $@

$(DEV_READY): requirements-dev.txt pyproject.toml | $(PY)
	@echo "Installing what the tests need ..."
	@$(PIP_INSTALL) $<
	@$(INSTALL_VERDICT)
	@touch $@

$(ALTERNATIVES_READY): requirements-alternatives.txt | $(DEV_READY)
	@echo "Installing what Verdict is compared with ..."
	@$(PIP_INSTALL) $<
	@touch $@

$(SNIPPETS): | $(PY)
	@echo "Getting another site's sentences, which a package's source distribution holds ..."
	@$(PY) -m pip download --quiet --disable-pip-version-check --no-deps --no-binary vaderSentiment \
	  --dest $(@D) vaderSentiment==3.3.2

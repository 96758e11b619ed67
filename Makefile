# Every target sets up what it needs: on a bare machine `make demo` and `make test` are all there is to type.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint unit contract scenario sanity molecule bench clean control-plane test-cluster cluster-if-there

# What is proven on a real control plane, too.
ON_A_CLUSTER := tests/scenario/test_cluster.py tests/scenario/test_faults.py tests/scenario/test_changes_nothing.py \
	tests/scenario/test_nothing_answers.py

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY) ## Python environment with the locked versions, in .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("make setup: $(PYTHON) is %d.%d; 3.11 or newer is needed: make setup PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make setup: $(PYTHON) has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "make setup: installing into $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Start the lab, kill its database, and let the runbook bring the shop back
	@$(BIN)/python -m dhakacart_lab.demo

test: lint unit contract scenario cluster-if-there sanity molecule ## Everything that must pass before a change lands

lint: $(READY) ## yamllint, ruff, mypy, ansible-lint, changelog and documentation checks
	$(BIN)/yamllint --strict .
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy python_wrapper lab
	$(BIN)/mypy .collections/ansible_collections/dhakacart/runbooks/plugins/module_utils
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/ansible-lint
	$(BIN)/antsibull-changelog lint

unit: $(READY) ## Pure judgement, in seconds
	$(BIN)/pytest tests/unit

contract: $(READY) ## Clients and lab parts against real servers on this machine
	$(BIN)/pytest tests/contract

scenario: $(READY) ## Whole playbooks against the lab, a fault at a time
	$(BIN)/pytest tests/scenario

control-plane: $(READY) ## Find or build the programs of a real Kubernetes control plane
	$(BIN)/python -m dhakacart_lab.kubernetes.control_plane

test-cluster: control-plane ## The runbooks, and Kubernetes itself, on a real control plane; builds it where it is missing
	$(BIN)/pytest tests/contract/control_plane tests/contract/conformance
	DHAKACART_LAB_KUBERNETES=control-plane $(BIN)/pytest $(ON_A_CLUSTER)

# As `make test-cluster`, but where the programs would first have to be built it says so and goes on.
cluster-if-there: $(READY)
	@if $(BIN)/python -m dhakacart_lab.kubernetes.control_plane --find; then $(MAKE) test-cluster; \
	else echo "make test: not run on a real control plane (see above); make test-cluster builds one"; fi

sanity: $(READY) ## ansible-test sanity on the built collection
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python tests/sanity/run.py

molecule: $(READY) ## The molecule scenario
	PATH=$(CURDIR)/$(BIN):$$PATH MOLECULE_COMMAND_BORDERS=false $(BIN)/molecule test --all

bench: $(READY) ## Ratios against baselines measured in the same run
	$(BIN)/python benchmarks/immediate.py
	$(BIN)/python benchmarks/wrapper.py
	$(BIN)/python benchmarks/triage.py

clean: ## Remove what the targets made (not a running lab: runbook lab down)
	rm -rf $(VENV) build dist .ansible .mypy_cache .pytest_cache .ruff_cache

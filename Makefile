# Everything starts here; `make help` lists it.
SHELL := /bin/bash
# the first of these that is of a version that we run on
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON := $(shell for python in python3 python3.12 python3.11 python3.13; do \
	$$python -c '$(SUITS)' 2>/dev/null && { command -v $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
INSTALL := $(PIP) install --no-deps --require-hashes

# a run starts hundreds of processes, and each would compile everything anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test check faults endure tamper vectors bench golden lock clean

help: ## list every target with a sentence
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: $(VENV)/.runtime ## play twelve assessment batches (ten of a term, two in April) through five services in one process, then print the summary
	@$(BIN)/jianding demo

up: $(VENV)/.runtime ## serve the embedded node on the data under var/ until Ctrl-C
	@$(BIN)/jianding up

test: $(VENV)/.dev ## run linters, types, architecture rules and the whole suite on a real PostgreSQL and RabbitMQ
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev ## run only what needs no server: ruff, mypy, import-linter, the compose file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

faults: $(VENV)/.dev ## let processes die and servers break a thousand times under load, and check what clients were told (half an hour)
	@$(BIN)/python -W ignore -m tests.faults.campaign

endure: $(VENV)/.dev ## let eight writers append 200,000 events while every program is killed again and again, and see that audit finds nothing (half an hour)
	@$(BIN)/python -W ignore -m tests.faults.endurance

tamper: $(VENV)/.dev ## alter a real audit log and its proofs a hundred thousand times, and see each alteration found where it is (half an hour)
	@$(BIN)/python -W ignore -m tests.tamper

vectors: $(VENV)/.dev ## run the public test vectors in DIR over the writer's tree and the verifier, and turn every bit of a small log
	@$(BIN)/python -m tests.vectors "$(DIR)"

bench: $(VENV)/.bench ## measure what everything costs beside its peers (some forty minutes, 40 GB of disk meanwhile); keeps bench/results/<date>.json
	@$(BIN)/python -W ignore -m bench

golden: $(VENV)/.dev ## write the golden files of new events or new versions (never changes an existing one)
	@$(BIN)/python -m shared.testing.golden

lock: ## resolve the dependencies anew into the hash-pinned lock files
	@deploy/lock

clean: ## remove the virtual environment and everything under var/ (the demo's data too)
	@test ! -L var/postgres || rm -rf "$$(dirname "$$(readlink var/postgres)")"
	@rm -rf $(VENV) var

$(VENV)/.runtime: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "jianding needs Python 3.11, 3.12 or 3.13; install one, or say make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make a virtual environment; on Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "installing $$(grep -c == requirements.lock) libraries, one or two minutes ... 正在安装依赖"
	@$(INSTALL) -r requirements.lock
	@echo "installing jianding ... 正在安装本程序"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "installing the tools of the suite, another minute ... 正在安装测试工具"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: $(VENV)/.runtime requirements-bench.lock
	@echo "installing the peers to measure against ... 正在安装对照程序"
	@$(INSTALL) -r requirements-bench.lock
	@touch $@

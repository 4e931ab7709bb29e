# `make` alone says what there is. Every target is a line that a person and CI run alike.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test check strings train lock clean bench quality

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(INSTALLED) ## make .venv/ with everything in it

run: setup ## start the bot with its web chat, here
	@exec $(BIN)/rahnuma up

test: setup ## run every test
	@$(BIN)/rahnuma train
	@$(BIN)/rahnuma content compile
	@$(BIN)/python -m pytest

check: setup ## lint, types, import layers, catalogues, content, Rasa's own validation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/rahnuma content strings --check
	@$(BIN)/rahnuma content check
	@$(BIN)/python -m cli.validate

strings: setup ## bring the catalogues up to date with the English source
	@$(BIN)/rahnuma content strings

train: setup ## train where no model fits the present data
	@$(BIN)/rahnuma train

lock: $(UV) ## resolve the dependencies anew into requirements.lock
	@$(UV) pip compile pyproject.toml --extra dev --generate-hashes --no-annotate --no-header --python-version 3.11 -o requirements.lock -q

quality: setup ## measure understanding on the development sets, into docs/quality.md
	@$(BIN)/rahnuma train
	@$(BIN)/python -m bench.quality

bench: setup ## measure beside Rasa's starter bot, into docs/performance.md
	@$(BIN)/python -m bench.first_answer

clean: ## delete what can be made again
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache var/cache var/models

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "rahnuma: needs Python 3.11 (Debian: python3, python3-venv); found $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -m venv .tools || { echo "rahnuma: Python's venv module is missing (Debian: apt install python3-venv)" >&2; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(INSTALLED): requirements.lock pyproject.toml | $(UV)
	@test -x .venv/bin/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@echo "installing what requirements.lock names" >&2
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

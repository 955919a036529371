# Everything that this project does, by name. `make` alone lists it.
#
# The first target that needs the environment makes it: a virtual environment in $(VENV) with specc
# installed editable and its dependencies at the versions of constraints.txt. pip's own settings
# (index, proxy, certificates) are left to the machine.

VENV   ?= .venv
PYTHON ?= python3
JOBS   ?= 2

BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first of these that starts and is new enough makes the environment.
BASE_PYTHON = $(shell for candidate in $(PYTHON) python3.13 python3.12 python3.11; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	echo $$candidate; break; fi; done)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow test-gpu lint format docs bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## make the environment

$(STAMP): pyproject.toml constraints.txt
	@test -n '$(BASE_PYTHON)' || { \
		echo 'specc needs Python 3.11 or newer; none was found. Try: make PYTHON=/path/to/python' >&2; \
		exit 1; }
	$(BASE_PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[test]'
	@touch $@

demo: $(STAMP) ## check, train and build LeNet, then run the ONNX file
	$(BIN)/specc check specs/lenet.net
	$(BIN)/specc train specs/lenet.net -o runs/lenet
	$(BIN)/specc build specs/lenet.net --weights runs/lenet/model.safetensors -o runs/lenet/lenet.onnx
	$(BIN)/python docs/examples/run_onnx.py runs/lenet

test: $(STAMP) ## run the tests that are quick and need no GPU
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m 'not slow and not gpu'

test-slow: $(STAMP) ## run the slow tests that need no GPU
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m 'slow and not gpu'

test-gpu: $(STAMP) ## run the tests that need a CUDA device
	@$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "no CUDA device")'
	$(BIN)/pytest -m gpu

lint: $(STAMP) ## check format, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(STAMP) ## format the code and apply the linter's safe fixes
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

docs: $(STAMP) ## write operators.md, errors.md and models.md in docs/ from the code
	$(BIN)/python -m specc.documentation docs
	$(BIN)/python -m tests.models.page

bench: $(STAMP) ## measure against other tools
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m bench

clean: ## remove what the targets above made, the environment included
	rm -rf $(VENV) build dist runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find specc tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

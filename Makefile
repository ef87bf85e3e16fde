# SPDX-License-Identifier: Apache-2.0
# A front end only: the build is meson.build, the setup tools/setup.sh.
.DEFAULT_GOAL := help
.PHONY: help run setup consumers viewer viewer-check test test-c test-python test-all lint format asan tsan fuzz regression peers bench wheel docs site clean
SHELL := /bin/bash

VENV ?= .venv
PYTHON ?=
PYTHONS ?=
WERROR ?= $(if $(CI),true,false)
FUZZ_SECONDS ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
BIN = $(abspath $(VENV))/bin
IN_VENV = PATH="$(BIN):$$PATH"
export WERROR

# Sanitizers find the same in what is compiled faster: less optimised, with lines and no more.
SANITIZED = -Doptimization=1 -Dc_args=-fno-sanitize-recover=all$(,)-g1

# $(call c_tests,FOLDER,SETUP OPTIONS,TEST OPTIONS): the engine's tests, built in build/FOLDER.
c_tests = @$(IN_VENV) tools/c-tests.sh build/$(1) "$(2)" $(3)

help: ## this list
	@echo "make TARGET [PYTHON=python3.13] [VENV=.venv]"
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: setup ## set up what is missing and profile a small program
	"$(BIN)/fettle" run examples/login.py

setup: ## packages, environment, tools, fettle: whatever is missing
	@tools/setup.sh "$(VENV)" "$(PYTHON)"

consumers: ## the programs of others that tests use: whatever is missing
	@tools/consumers.sh

viewer: ## build the HTML report's viewer into python/fettle/html/ (node and npm)
	@tools/viewer.sh build

viewer-check: ## types and tests of the viewer, and whether what is committed is what viewer/ builds
	@tools/viewer.sh check

test: test-c test-python ## every test

test-c: setup
	$(call c_tests,engine,)

test-python: setup
	"$(BIN)/python" tools/suite.py build/pytest "$(BIN)/python" -m pytest $(PYTEST_ARGS)

test-all: setup ## build and test on every supported Python here, and on PYTHONS="command;command"
	@"$(BIN)/python" tools/test_all.py "$(PYTHONS)"

lint: setup ## formatting, types, shell scripts, layers
	"$(BIN)/clang-format" --dry-run -Werror $$(find engine glue tests fuzz bench -name '*.[ch]' 2>/dev/null)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/shellcheck" .ci/run $$(find tools tests -name '*.sh')
	"$(BIN)/python" -m pytest -q tests/test_layers.py tests/test_repository.py

format: setup ## rewrite the sources in the project's style
	"$(BIN)/clang-format" -i $$(find engine glue tests fuzz bench -name '*.[ch]' 2>/dev/null)
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

asan: setup ## the engine's tests under the address and undefined-behaviour sanitizers
	$(call c_tests,asan,-Db_sanitize=address$(,)undefined $(SANITIZED))

tsan: setup ## the engine's tests that start threads under the thread sanitizer
	$(call c_tests,tsan,-Db_sanitize=thread $(SANITIZED),--suite threads)

fuzz: setup ## replay the fuzz corpora under sanitizers; FUZZ_SECONDS=60 searches on (clang)
	$(call c_tests,asan,-Db_sanitize=address$(,)undefined $(SANITIZED),--suite fuzz)
	@$(if $(FUZZ_SECONDS),$(IN_VENV) tools/fuzz.sh $(FUZZ_SECONDS))

regression: setup ## CPython's own regression tests, recorded, must end as they do plain
	@$(IN_VENV) tools/regression.sh "$(BIN)/python"

peers: setup ## the peers' own tests (cProfile, pstats, tracemalloc, timeit, dis, lru_cache, line_profiler, joblib, IPython) must pass with ours in place
	@$(IN_VENV) tools/peers.sh "$(BIN)/python"

bench: setup ## overhead and speed against the peers: ratios, JSON (docs/bench.md)
	@$(IN_VENV) tools/bench.sh $(BENCH_ARGS)

wheel: setup ## a wheel in dist/
	$(IN_VENV) "$(BIN)/python" -m pip wheel --quiet --no-build-isolation --no-deps -w dist .
	@ls dist

docs: site ## the site, its links checked, its examples run
	"$(BIN)/python" -m pytest -q tests/test_docs.py tests/docs

site: setup ## the documents as a site, in build/docs; a warning is an error
	"$(BIN)/sphinx-build" -c tools/site -n -W --keep-going -q -E -a -d build/docs-read . build/docs
	@echo "build/docs/index.html"

clean: ## remove what was built, the environment too
	rm -rf build dist
	test ! -e "$(VENV)/.fettle/made-by" || rm -rf "$(VENV)"

, := ,

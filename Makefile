# `make demo` and `make test` are all one needs; each installs what it uses, uv included.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast lint format perf clean

BIN := .venv/bin
export HF_HUB_OFFLINE ?= 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv (uv, locked dependencies, ffmpeg where possible)
	@scripts/setup.sh

demo: setup ## the whole road on the embedded default: a table, and a page to listen to
	@$(BIN)/timbrebench demo --out out/demo

test: setup ## all tests
	@$(BIN)/pytest -n 2 --dist loadgroup -q

test-fast: setup ## all tests but the slow ones
	@$(BIN)/pytest -n 2 --dist loadgroup -q -m "not slow"

lint: setup ## formatting, style, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

perf: setup ## benchmarks (ratios, never pass or fail)
	@$(BIN)/pytest tests/perf -q -s --benchmark-only --benchmark-sort=name --benchmark-columns=min,median,rounds

clean: ## remove the environment and everything made by make
	rm -rf .venv .venv-tools out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

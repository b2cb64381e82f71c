# Two commands do everything: `make mnist` (the main job) and `make test`.
# Each first makes sure that .venv holds what it needs; a second call finds the stamp and starts at once.

VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help setup mnist test check clean

help:
	@echo "make mnist   set up .venv, then reproduce the MNIST experiment (ARGS='...' for more options)"
	@echo "make test    the tests (ARGS='...' goes to pytest)"
	@echo "make check   linter, formatter, strict types, doctests"
	@echo "make setup   .venv only: the package with the extras dev and, where it builds, cdd"
	@echo "make clean   remove .venv, caches and build products; runs/ stays"

$(STAMP): pyproject.toml tools/install.sh
	bash tools/install.sh $(VENV)

setup: $(STAMP)

mnist: $(STAMP)
	$(BIN)/collide mnist $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet --doctest-modules --doctest-glob='*.md' \
		polytope optimize experiments $(wildcard docs README.md)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

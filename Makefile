# Two commands do everything: `make mnist` (the main job) and `make test`.
# Each first makes sure that .venv holds what it needs; a second call finds the stamp and starts at once.

VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
CAMPAIGN := $(BIN)/python -m tests.campaigns
ARGS ?=
# Processes that share the tests, a file at a time: each has the torch of its own, some 700 MB.
JOBS ?= 2

.PHONY: help setup mnist test test-slow durations campaigns check format docs-images newest clean

help:
	@echo "make mnist        set up .venv, then reproduce the MNIST experiment (ARGS='...' for more options)"
	@echo "make test         the tests in two processes (ARGS='...' goes to pytest, JOBS=N for more processes)"
	@echo "make check        linter, formatter, strict types, doctests"
	@echo
	@echo "make format       rewrite the sources as the linter and the formatter want them"
	@echo "make test-slow    the tests that take long"
	@echo "make durations    the tests, with the time of each that takes half a second"
	@echo "make campaigns    all that tries to break the answers, at the sizes of docs/reliability.md: some 40 minutes"
	@echo "make docs-images  the picture of docs/architecture.md, drawn from the imports"
	@echo "make newest       the tests with the newest releases of what is built upon, in an environment of their own"
	@echo "make setup        .venv only: the package with the extra dev and, where they install, the others"
	@echo "make clean        remove .venv, caches and build products; runs/ stays"

$(STAMP): pyproject.toml constraints.txt tools/install.sh
	bash tools/install.sh $(VENV)

setup: $(STAMP)

mnist: $(STAMP)
	$(BIN)/collide mnist $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=20 $(ARGS)

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m "slow and not network" $(ARGS)

durations: $(STAMP)
	$(BIN)/python -m pytest --quiet --durations=0 --durations-min=0.5 $(ARGS)

# Each prints its counts and fails where one is not 0 that has to be.
campaigns: $(STAMP)
	$(CAMPAIGN).mutants --count 20000
	$(CAMPAIGN).completeness
	$(CAMPAIGN).certificate_sources --count 3000 --images 8
	$(CAMPAIGN).checker_conditions
	$(CAMPAIGN).differential --count 10000
	$(CAMPAIGN).enumeration_differential --count 5200
	$(CAMPAIGN).lies --count 12
	$(CAMPAIGN).planted --count 200
	$(CAMPAIGN).fuzz_readers --count 12000
	$(CAMPAIGN).torch_architectures
	$(CAMPAIGN).onnx_random --count 1000 --seed 20
	$(CAMPAIGN).kill_writes
	$(CAMPAIGN).kill_runs --kills 100 --interrupts 20

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet --doctest-modules --doctest-glob='*.md' \
		polytope optimize experiments $(wildcard docs README.md)

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs-images: $(STAMP)
	$(BIN)/python tools/draw_rooms.py

newest:
	bash tools/newest.sh $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

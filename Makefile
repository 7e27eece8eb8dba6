PYTHON ?= python3
BIN := .venv/bin
VERSION := import sys; print(sys.version_info[:2])
NEW_ENOUGH := import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "Python %d.%d is too old: version 3.11 or newer is needed, as in PYTHON=python3.12." % v)
REQUIREMENTS ?= requirements.txt
export COHORT
# `make report LANGUAGE=fr`; the variable of this name that shells have for their own messages is not meant
IN := $(if $(findstring command line,$(origin LANGUAGE)),--language $(LANGUAGE))

.PHONY: venv report test test-slow test-pages study preview slides notebook bench bench-recipe bench-audit bench-grid trust clean

venv: .venv/installed

# An environment of another Python than $(PYTHON) is made anew: one that an older Python left cannot be mended.
.venv/installed: $(REQUIREMENTS)
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	@[ "$$($(BIN)/python -c '$(VERSION)' 2>&1)" = "$$($(PYTHON) -c '$(VERSION)')" ] || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet $(PIP) -r $(REQUIREMENTS)
	touch $@

report: venv
	$(BIN)/python -m lib report $(IN)

SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 10

test: venv
	$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check . && $(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-pages: venv
	$(BIN)/python -m pytest -m pages $(SIDE_BY_SIDE)

test-slow: venv
	$(BIN)/python -m pytest -m slow --durations 10

study: venv
	$(BIN)/python -m lib study $(IN)

preview: venv
	$(BIN)/python -m lib preview $(IN)

notebook: venv
	$(BIN)/python -m lib notebook $(IN)

slides: venv
	$(BIN)/python -m lib slides $(IN) $(if $(PDF),--pdf)

bench: venv
	$(BIN)/python -m benchmarks.training $(if $(COHORT),--cohort $(COHORT)) --store data/.bench --write

bench-recipe: venv
	$(BIN)/python -m benchmarks.recipe --cohort $(COHORT) --store data/.bench --write

bench-audit: venv
	$(BIN)/python -m benchmarks.audit

trust: venv
	$(BIN)/python -m benchmarks.trust

clean:
	$(PYTHON) -m lib clean

bench-grid: venv
	$(BIN)/python -m benchmarks.grid

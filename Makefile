# Everything runs from .venv, which 'make setup' creates. Nothing is installed elsewhere.
PYTHON ?= python3
# More arguments for pip, for instance another package index:
#   make setup PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Several processes test at once: threads of their own would only wait for each other.
test test-slow test-slow-sample: export OMP_NUM_THREADS := 1

.PHONY: setup demo test test-slow test-slow-sample test-oldest lint docs audit format clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else f"beatgrid needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}: run make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) -c constraints.txt -e ".[dev,docs,train,onnx,sweep,cluster]"
	@touch $@

demo: setup
	$(BIN)/python experiments/demo/demo.py

test: setup
	$(BIN)/python -m pytest -n auto --dist loadscope

test-slow: setup
	$(BIN)/python -m pytest -m slow

# Four minutes of the slow tests, other ones each time: SEED=N repeats a choice.
SEED ?= $(shell $(PYTHON) -c 'import random; print(random.randrange(2**32))')
test-slow-sample: seed := $(SEED)
test-slow-sample: setup
	@echo "slow tests of four minutes: make test-slow-sample SEED=$(seed)"
	timeout --kill-after=15 315 $(BIN)/python -m pytest -m slow -p tests.sampling \
	    --for-seconds 240 --hypothesis-seed $(seed)

# Predicting with the oldest releases that pyproject.toml allows, in an environment of its own.
OLDEST := .oldest
OLDEST_STAMP := $(OLDEST)/.installed
test-oldest: export OMP_NUM_THREADS := 1
test-oldest: $(OLDEST_STAMP)
	$(OLDEST)/bin/python -m pytest -n auto --dist loadscope \
	    $(OLDEST_TESTS) $(addprefix --deselect ,$(OLDEST_DIFFERS))

$(OLDEST_STAMP): pyproject.toml constraints-oldest.txt
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install $(PIP_ARGS) -c constraints-oldest.txt \
	    -e ".[pictures]" pytest pytest-xdist hypothesis jsonschema
	@touch $@

OLDEST_TESTS := tests/test_library.py tests/test_processes.py tests/cluster tests/search/test_parts.py \
    tests/search/test_hint.py tests/output/test_result.py tests/audio/test_reader.py \
    tests/audio/test_decoders.py tests/audio/test_tags.py tests/commands/test_predict.py \
    tests/commands/test_merge.py tests/data/test_split.py
# PyAV before 17: an encoder's setting that a test wants, AAC in Matroska 0.2 ms late, less of a
# damaged FLAC. Rich 13.0: an empty line where there is no progress to show.
OLDEST_DIFFERS := tests/audio/test_reader.py::test_a_tagless_vbr_mp3_is_read_to_its_end \
    tests/audio/test_reader.py::test_clicks_come_back_at_their_time_through_ffmpeg \
    tests/audio/test_decoders.py::test_where_libsndfile_gives_up_ffmpeg_reads_on \
    tests/commands/test_predict.py::test_a_single_file_needs_no_progress

lint: setup docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site: build/site/index.html. The checkout is its source, docs/conf.py says which pages.
docs: setup
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs \
	    -d build/site-cache . build/site

# Known weaknesses of the pinned packages, in an environment of its own; needs the network.
audit:
	@test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && \
	    .audit/bin/python -m pip --quiet install $(PIP_ARGS) pip-audit; }
	.audit/bin/pip-audit --no-deps --disable-pip --requirement constraints.txt

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .audit .oldest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

# make tables   sets up everything, runs the main job, prints Table 1
# make test     sets up everything, runs the tests
# make test-full-size   trains and tests the paper's networks at full size on four videos
# make test-slurm       runs the workflow through a real Slurm on this machine
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
PROFILE ?= builtin
CONFIG ?=
# Recipes read the names of the user's folder and profile as variables, so that the shell reads no
# more into them. CONFIG holds words as they would be typed after --config.
export PROFILE

.PHONY: setup tables test test-full-size test-slurm lint mlflow lock

setup: $(VENV)/installed

# Debian keeps venv in a package of its own; as root it is fetched, otherwise named.
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "error: Python 3.11 is needed. Fix: install it, or give PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) > /dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); } \
	  || { echo "error: Python has no venv. Fix: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

tables: setup
	@PATH="$$PWD/$(BIN):$$PATH" snakemake --cores $(CORES) --config "profile=$$PROFILE" $(CONFIG) -- all_tables
	@$(BIN)/python -m benchmark show table1 --profile "$$PROFILE"

# A worker for each core, so one thread in each; whole files, since their tests share runs, and
# the files in the order of tests/conftest.py, the longest first.
test: setup
	@PATH="$$PWD/$(BIN):$$PATH" OMP_NUM_THREADS=1 pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder

# Minutes on two cores. CLIPS_ROOT=DIR takes real clips.
test-full-size: setup
	@PATH="$$PWD/$(BIN):$$PATH" pytest -m full_size -s tests/full_size

# As root, on a machine without a Slurm of its own; it stops what it starts.
test-slurm: setup
	command -v slurmctld > /dev/null && command -v munged > /dev/null || apt-get install -qy slurm-wlm munge
	PATH="$$PWD/$(BIN):$$PATH" pytest -m cluster -s tests/cluster/test_slurm.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/snakefmt --check workflow
	PATH="$$PWD/$(BIN):$$PATH" snakemake --lint --config profile=smoke

mlflow: setup
	$(BIN)/mlflow ui --backend-store-uri "sqlite:///results/$$PROFILE/mlflow.db"

# Exact versions of what is installed now; run it in an environment where the tests pass.
lock: setup
	$(BIN)/pip freeze --exclude-editable > requirements.lock
	{ sed '/- pip:/q' environment.yml; sed 's/^/      - /' requirements.lock; } > environment.new
	mv environment.new environment.yml

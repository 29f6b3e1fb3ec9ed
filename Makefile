# Everything sets itself up; a second call with nothing changed costs a fraction of a second.
#   make run    open the program on a live demo region      (ARGS='--theme light')
#   make test   lint, then the whole test suite             (ARGS='-k journal')
#   make bench  speed, each figure as a ratio in one run    (ARGS='--only paint')
#   make lint   ruff, mypy for Linux and Windows, import contracts
#   make exe    the Windows executable, built through the Windows rig
#   make lock   pin the requirements anew
#   make clean  remove what was built and the environment

SETUP := sh scripts/bootstrap.sh
PYTHON := .venv/bin/python
ARGS ?=

.PHONY: run test bench lint exe lock clean help

help:
	@sed -n '2,9p' Makefile

run:
	@$(SETUP) run
	@$(PYTHON) -m app --demo $(ARGS)

test: lint
	@$(SETUP) test
	@$(PYTHON) -m pytest -n auto --no-loadscope-reorder $(ARGS)

lint:
	@$(SETUP) lint
	@$(PYTHON) scripts/lint.py

bench:
	@$(SETUP) test
	@$(PYTHON) -m tests.bench $(ARGS)

exe:
	@$(SETUP) test
	@$(PYTHON) scripts/build_exe.py $(ARGS)

lock:
	@$(SETUP) lint
	@$(PYTHON) -m pip install --quiet uv
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) scripts/lock.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	rm -f app/core/native/_kernel.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

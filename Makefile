# Two commands matter: `make demo` and `make test`. Both set up everything they need:
# Python 3.11 with its venv module, and a package index, are all that must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
DEMO_DIR ?= .demo
export PORT DEMO_DIR

# Every program here is started often: compiled once, each is ready in less than half the time.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/uv/bin/uv
COMPILE = $(UV) pip compile --quiet --generate-hashes --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --python-version 3.11

.PHONY: demo test check bench campaign lock messages clean uv

# The demo: services, web, signer, worker, seed; PORT= and DEMO_DIR= choose; Ctrl-C stops all.
demo: uv
	$(call install,requirements.demo.lock requirements.dev.lock requirements.bench.lock)
	@exec $(PY) -m creditbank.services.launcher demo

# Everything CI runs: the checks, then every test, in real services and a real browser.
test: check
	@$(PY) -m tests.browser
	$(PY) -m pytest -n 2 --dist worksteal

check: uv
	$(call install,requirements.dev.lock requirements.bench.lock)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m djlint --lint --quiet templates
	$(PY) -m creditbank.services.checks

bench: uv
	$(call install,requirements.bench.lock)
	$(PY) -m tests.bench

campaign: uv
	$(call install,requirements.dev.lock requirements.bench.lock)
	$(PY) -m tests.campaign

messages: uv
	$(call install,requirements.dev.lock requirements.bench.lock)
	$(PY) manage.py messages extract

# The locks name versions and hashes, no hosts. The largest but the peers comes first and
# binds the others: what is tested is, version for version, what is deployed.
lock: uv
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements.dev.lock
	$(COMPILE) -c requirements.dev.lock --group demo pyproject.toml -o requirements.demo.lock
	$(COMPILE) -c requirements.dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements.dev.lock --group bench pyproject.toml -o requirements.bench.lock
	sed -n 's/ \\$$//; /^uv==/p' requirements.uv.lock | $(COMPILE) - -o requirements.uv.lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# $(call install,LOCK LARGER...): install LOCK, unless it or a larger set that contains it is
# what was installed last. That is known by content, not by date: a checkout changes dates.
define install
@for lock in $(1); do cmp -s $$lock $(VENV)/installed.lock && exit 0; done; \
  echo "Installing $(firstword $(1)) ..."; \
  rm -f $(VENV)/installed.lock && \
  $(UV) pip sync --python $(PY) --require-hashes --compile-bytecode $(firstword $(1)) && \
  cp $(firstword $(1)) $(VENV)/installed.lock
endef

# uv is kept apart from the environment that it fills, so that it never removes itself.
uv: $(PY)
	@cmp -s requirements.uv.lock $(VENV)/uv/installed.lock || { \
	  echo "Installing uv ..." && rm -rf $(VENV)/uv && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --target $(VENV)/uv -r requirements.uv.lock && \
	  cp requirements.uv.lock $(VENV)/uv/installed.lock; }

$(PY):
	@"$(PYTHON)" -c 'import sys; sys.version_info[:2] == (3, 11) or sys.exit("Python 3.11 is needed, this is %d.%d: make ... PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@echo "Making a virtual environment in $(VENV) ..."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "This Python has no venv module (Debian: apt install python3.11-venv)"; exit 1; }

# 明察 Mingcha. Everything lives in this folder: .venv (programs), .data (servers' data).
# No root, no Docker, no system Node; paths may hold spaces and Chinese characters.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: schema help env env-dev phone demo run test check fmt bench long fuzz screens lock doctor clean
PY := .venv/bin/python
export PYTHONUTF8 := 1

help:  ## this list
	@echo '明察 Mingcha — make targets:'
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# The newest Python from 3.11 on that can make an environment, or one sentence that says what is missing.
define FIND_PYTHON
for name in python3.13 python3.12 python3.11 python3; do \
  if command -v $$name >/dev/null && $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
  then found=$$name; break; fi; done; \
if [ -z "$$found" ]; then echo '缺少 Python 3.11 或更新版本（含 venv 模块）。 Missing: Python 3.11 or newer with its venv module (Debian: apt install python3-venv).' >&2; exit 1; fi
endef

define INSTALL
@if [ "$$(cat .venv/.installed 2>/dev/null)" != "$(1) $$(cksum < $(1))" ]; then \
  set -e; found=; $(FIND_PYTHON); \
  echo "正在准备运行环境 Preparing the environment (.venv) …"; \
  [ -x $(PY) ] || $$found -m venv .venv; \
  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1) || \
  { echo '依赖安装失败：请检查 PyPI 镜像是否可用，然后重试。 Installing the locked packages failed: check that your PyPI mirror answers, then run make again.' >&2; exit 1; }; \
  echo "$(1) $$(cksum < $(1))" > .venv/.installed; fi
endef

env:
	@if [ ! -f .venv/.installed ] || ! grep -q '^requirements-dev' .venv/.installed; then $(MAKE) --no-print-directory env-run; fi
env-run:
	$(call INSTALL,requirements.lock)
env-dev:
	$(call INSTALL,requirements-dev.lock)

phone: env  ## build the inspector's application (backend/phone/dist)
	@$(PY) -m backend phone

demo: env phone  ## play one whole circle on real servers, then serve it (FRESH=1 plays it anew, ONCE=1 does not serve)
	@$(PY) -m seed --data .data/demo $(if $(FRESH),--fresh) $(if $(ONCE),--once)

run: env phone  ## an empty office: migrate, serve, print the administrators' one-time links
	@$(PY) -m backend run --data .data/office

doctor: env  ## explain the state of every part
	@$(PY) -m backend doctor --data .data/office

check: env-dev  ## lint, types, walls, lock: fast, no servers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'import sys; from importlinter.cli import lint_imports_command; sys.argv = ["lint-imports"]; lint_imports_command()'
	$(PY) -m pytest -q -p no:randomly tests/test_map.py tests/test_lock.py

test: env-dev phone  ## everything that must hold, on real servers (under 15 minutes)
	$(PY) -m pytest -m 'not slow' -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

long: env-dev  ## the full-size runs
	$(PY) -m pytest -m slow $(ARGS)

fuzz: env-dev  ## schemathesis and the parsers, longer
	HYPOTHESIS_PROFILE=fuzz $(PY) -m pytest tests/test_schema.py tests/media tests/inspection_plans $(ARGS)

bench: env-dev  ## measure; prints the figures of docs/benchmarks.md
	@$(PY) -m tests.bench $(ARGS)

screens: env-dev phone  ## pictures of every page, into screens/
	@$(PY) -m tests.screens $(ARGS)

schema: env-dev  ## renew backend/db/schema.txt from the migrations
	$(PY) -m tests.schema_text

fmt: env-dev  ## format and mend what can be mended
	$(PY) -m ruff check --fix-only -q . && $(PY) -m ruff format -q .

lock: env-dev  ## renew the lock files
	$(PY) -m uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock
	$(PY) -m uv pip compile -q pyproject.toml --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-dev.lock

clean:  ## remove .venv and .data
	rm -rf .venv .data

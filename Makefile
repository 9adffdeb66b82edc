# A fresh machine needs Python 3.11+ and make: `make demo`, `make test`.

PYTHON ?= python3
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: install demo test chromium clean

install: .venv/installed

.venv/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml .venv/bin/python
	.venv/bin/python -m pip install --quiet --upgrade pip
	.venv/bin/python -m pip install --quiet -e .
	touch $@

.venv/installed-dev: pyproject.toml .venv/bin/python
	.venv/bin/python -m pip install --quiet --upgrade pip
	.venv/bin/python -m pip install --quiet -e ".[dev]"
	touch $@ .venv/installed

demo: .venv/installed
	.venv/bin/butterflies demo

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		($(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium >/dev/null)

test: .venv/installed-dev chromium
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

clean:
	rm -rf .venv build demo runs
